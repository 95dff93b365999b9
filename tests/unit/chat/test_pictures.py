"""Every kind of notice is drawn in every product, and the pictures in the documentation are all there."""

import json
import re
import shutil
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.chat import Chat, notices
from local.chat.page import MODULES
from local.chat.picture import PICTURE, PICTURES, RENDERERS, draw, draw_kind, drawn, sample
from local.chat.slack_api import CHANNEL
from tests.corpus.notices import KINDS, NEW_CRITICALS
from warden.channels import discord, google_chat, slack, standard_webhook, teams
from warden.channels.links import is_ours
from warden.notices import Level, Line, Notice

MANY: Mapping[str, Callable[[Notice], dict[str, Any]]] = {
    "slack": slack.render,
    "teams": teams.render,
    "discord": discord.render,
    "google_chat": google_chat.render,
    "webhook": standard_webhook.render,
}
LARGEST = 150_000
"""Bytes of a picture: all of them are in the repository for good."""

needs_chromium = pytest.mark.skipif(
    not (MODULES.exists() and shutil.which("chromium")), reason="no Chromium: it is a tool for making pictures"
)


@pytest.mark.parametrize("product", list(MANY))
def test_every_kind_is_taken_by_every_product(chat: Chat, product: str) -> None:
    refused = {kind: chat.show(MANY[product](notice), product) for kind, notice in KINDS.items()}

    assert refused == dict.fromkeys(KINDS)
    assert [message.product for message in chat.messages] == [product] * len(KINDS)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_sample_is_one_that_the_warden_could_send(kind: str) -> None:
    notice = KINDS[kind]

    assert notice.title
    assert notice.footer
    assert all(is_ours(span.url) for span in spans(notice) if span.url)
    assert all(len(row) == len(table.columns) for table in notice.tables for row in table.rows)


@pytest.mark.parametrize("kind", list(notices.KINDS))
def test_a_sample_that_is_drawn_says_what_to_do_and_is_not_cut(kind: str) -> None:
    notice = notices.KINDS[kind]

    assert notice.next_step or notice.level is Level.GOOD
    assert notice.at
    assert "…" not in json.dumps(slack.render(notice), ensure_ascii=False).replace("…and ", "")


def spans(notice: Notice) -> Line:
    items = tuple(span for section in notice.sections for item in section.items for span in item)
    return (*notice.summary, *items, *notice.next_step, *notice.links)


def test_samples_have_different_names() -> None:
    assert len({notice.id for notice in KINDS.values()}) == len(KINDS)


def test_the_documentation_has_a_picture_of_every_kind() -> None:
    """After a change that is meant: `make pictures`, and look at them."""
    expected = {f"{kind}.{product}.png" for kind in notices.KINDS for product in RENDERERS}

    assert {picture.name for picture in PICTURES.iterdir()} == expected
    assert all(picture.stat().st_size < LARGEST for picture in (PICTURE, *PICTURES.iterdir()))
    assert all(size(picture)[0] == 1_400 for picture in (PICTURE, *PICTURES.iterdir()))


def test_the_picture_of_the_readme_is_of_what_the_warden_sends(chat: Chat) -> None:
    (payload,) = sample()

    assert chat.show(payload) is None


@needs_chromium
def test_a_message_is_drawn_as_high_as_it_is(tmp_path: Path) -> None:
    short, long = tmp_path / "short.png", tmp_path / "long.png"

    draw([slack.render(KINDS["clean"])], short)
    draw([teams.render(NEW_CRITICALS)], long, product="teams", theme="dark")

    assert size(short)[0] == size(long)[0] == 1_400
    assert 150 < size(short)[1] < size(long)[1] < 1_400


@needs_chromium
def test_a_picture_is_the_same_whenever_it_is_drawn(tmp_path: Path) -> None:
    one, other = tmp_path / "one.png", tmp_path / "other.png"

    for picture in (one, other):
        draw_kind("promoted", picture, product="teams")

    assert one.read_bytes() == other.read_bytes()


@needs_chromium
def test_every_product_shows_what_the_notice_says(chat: Chat) -> None:
    for product, render in MANY.items():
        assert chat.show(render(NEW_CRITICALS), product) is None

    articles = dict(re.findall(r'<article class="(\w+)">(.*?)</article>', drawn(chat), re.DOTALL))

    assert list(articles) == list(MANY)
    for article in articles.values():
        text = re.sub(r"<[^>]*>", "", article)
        for words in ("2 new critical findings in payments/api:1.42.0", "CVE-2014-0160", "1.0.1g", "Open in ECR"):
            assert words in text


@needs_chromium
def test_a_reply_is_shown_under_its_parent_and_an_edit_where_the_message_was(chat: Chat) -> None:
    def call(method: str, **payload: str) -> str:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"channel": CHANNEL, **payload}).encode()
        return str(json.loads(chat.take(f"/api/{method}", body, headers).text)["ts"])

    token = json.loads(chat.secrets()["slack_bot"])["token"]
    parent = call("chat.postMessage", text="found")
    call("chat.postMessage", text="another matter")
    call("chat.postMessage", text="a reply", thread_ts=parent)
    call("chat.update", text="found and fixed", ts=parent)

    text = re.sub(r"<[^>]*>", " ", drawn(chat))

    places = [text.index(words) for words in ("found and fixed", "(edited)", "a reply", "another matter")]
    assert places == sorted(places)
    assert text.count("(edited)") == 1


def test_what_the_chat_would_refuse_is_not_drawn(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the chat answers 400 .*not a message with one Adaptive Card"):
        draw([{"type": "poem"}], tmp_path / "none.png", product="teams")


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG: https://www.w3.org/TR/png/#11IHDR."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height
