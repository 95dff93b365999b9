"""How a person names an image, and which one that is."""

import pytest
from click import ClickException

from cli.images import TagName, find, read_digest, read_image, resolve
from tests.account import Account
from tests.builders import digest, image_id
from tests.wire import error, ok
from warden.errors import Refused, Unavailable
from warden.names import ImageId, RepositoryName, Tag

APP = RepositoryName("team/app")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("team/app:v1", TagName(APP, Tag("v1"))),
        ("team/app:_x.Y-9", TagName(APP, Tag("_x.Y-9"))),
        (f"team/app:{'a' * 128}", TagName(APP, Tag("a" * 128))),
        (f"team/app@{digest('a')}", ImageId(APP, digest("a"))),
    ],
)
def test_an_image_is_named_by_its_tag_or_its_digest(text: str, named: ImageId | TagName) -> None:
    assert read_image(text) == named
    assert str(named) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "team/app", "team/app:", "team/app@", "team/app@v1", "team/app@sha256:12", ":v1", "@", "team/app:.v1"),
        *(f"team/app:{'a' * 129}", "team/app:v 1", "Team/App:v1", f"team/app:v1@{digest('a')}", "a:b:c"),
        *("\x1b[31mteam/app:v1", "team/app:\u202ev1", "team/app:v1\n"),
    ],
)
def test_anything_else_is_refused_with_what_is_expected_and_shown_harmlessly(text: str) -> None:
    with pytest.raises(ClickException, match="expected") as refused:
        read_image(text)
    assert refused.value.message.isprintable()


def test_where_only_a_digest_will_do_a_tag_is_refused_with_where_the_digest_is() -> None:
    assert read_digest(f"team/app@{digest('a')}") == ImageId(APP, digest("a"))
    with pytest.raises(
        ClickException, match=r"team/app:v1: expected REPO@DIGEST.* the notice of its quarantine names it"
    ):
        read_digest("team/app:v1")


def test_a_tag_is_the_image_that_has_it_now_and_that_is_said(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.push("other", tags=("v1",))
    image = account.push("image", tags=("v2", "latest"))

    assert resolve("team/app:latest", account.registry).id == image
    assert capsys.readouterr() == ("", f"team/app:latest is {image}.\n")
    assert resolve(str(image), account.registry).id == image
    assert capsys.readouterr() == ("", "")


def test_what_is_not_there_is_refused_with_what_to_ask_instead(account: Account) -> None:
    account.push()

    with pytest.raises(Refused, match=r"no image is tagged team/app:v9 now: name it by its digest, team/app@sha256:…"):
        resolve("team/app:v9", account.registry)
    with pytest.raises(Refused, match="is not in the registry of this account and region: `warden why` says"):
        find(image_id("nowhere"), account.registry)
    with pytest.raises(Refused, match="no image is tagged team/none:v1"):
        resolve("team/none:v1", account.registry)


@pytest.mark.parametrize("answer", [ok({}), ok({"imageDetails": []}), ok({"imageDetails": [{}]})])
def test_an_answer_that_was_cut_short_is_no_absence(answer: tuple[int, str], account: Account) -> None:
    account.refusals["DescribeImages"] = answer
    with pytest.raises(Unavailable, match="nothing is concluded from it"):
        resolve("team/app:v1", account.registry)


def test_without_the_right_to_look_that_is_said(account: Account) -> None:
    account.refusals["DescribeImages"] = error("AccessDeniedException", "not you")
    with pytest.raises(Unavailable, match="can't find team/app:v1: these credentials have no right to: not you"):
        resolve("team/app:v1", account.registry)
