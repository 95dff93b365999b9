"""Who is told of an image, and what its own labels can and can't decide."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.builders import a_policy
from warden import routing
from warden.image_labels import LONGEST
from warden.names import RepositoryName
from warden.overrides import PREFIX
from warden.policy import Policy
from warden.standards import standard_of

SOURCE = "org.opencontainers.image.source"
ACME = {"label": SOURCE, "value": "https://github.com/acme/*", "channels": ["acme"], "origin": "warden.yaml:40"}
ANYONE = {"label": "team", "value": "*", "channels": ["some", "body"], "origin": "warden.yaml:41"}


def route(policy: Policy, labels: Mapping[str, str] | None, tags: Mapping[str, str] | None = None) -> routing.Route:
    return routing.route(policy, standard_of(policy, RepositoryName("team/app"), tags or {}), labels)


@pytest.mark.parametrize(
    ("labels", "channels"),
    [
        ({SOURCE: "https://github.com/acme/app"}, ("acme",)),
        ({SOURCE: "https://github.com/acme/"}, ("acme",)),
        ({SOURCE: "https://github.com/acmes/app"}, ("platform",)),
        ({SOURCE: "http://github.com/acme/app"}, ("platform",)),
        ({SOURCE.upper(): "https://github.com/acme/app"}, ("platform",)),
        ({"team": ""}, ("some", "body")),
        ({"team": "x", SOURCE: "https://github.com/acme/app"}, ("acme",)),
        ({"other": "https://github.com/acme/app"}, ("platform",)),
        ({}, ("platform",)),
        (None, ("platform",)),
    ],
)
def test_the_first_owner_whose_label_matches_is_told(labels: dict[str, str] | None, channels: tuple[str, ...]) -> None:
    assert route(a_policy(owners=[ACME, ANYONE]), labels).channels == channels


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"team": "payments"}, "payments (team, warden.yaml:41)"),
        ({}, "not known: the image's labels match none of the policy's owners, so the default channel is told"),
        (None, "not known: the image's labels could not be read, so the default channel is told"),
    ],
)
def test_the_message_says_whose_image_it_is_and_how_that_is_known(labels: dict[str, str] | None, said: str) -> None:
    (fact,) = route(a_policy(owners=[ANYONE]), labels).owner
    assert (fact.label, fact.value) == ("Owner", said)


def test_without_owners_nobody_asks_and_nothing_is_said() -> None:
    policy = a_policy()
    standard = standard_of(policy, RepositoryName("team/app"), {})
    assert not routing.asks_for_labels(policy, standard)
    assert routing.route(policy, standard, {"team": "x"}) == routing.Route(("platform",))


@pytest.mark.parametrize(
    ("fields", "tags"),
    [
        ({}, {f"{PREFIX}channels": "open"}),
        ({"rules": True}, {}),
    ],
)
def test_a_rule_and_a_tag_of_the_repository_win_over_the_images_labels(
    fields: dict[str, Any], tags: dict[str, str]
) -> None:
    rules = [("team/*", {"channels": ["open"]})] if fields else []
    policy = a_policy(*rules, owners=[ANYONE], open_channels=["open"])
    standard = standard_of(policy, RepositoryName("team/app"), tags)
    assert standard.channels == ("open",)
    assert not routing.asks_for_labels(policy, standard)
    assert routing.route(policy, standard, {"team": "x"}) == routing.Route(("open",))


def test_labels_choose_only_among_channels_that_the_policy_gives_to_owners() -> None:
    policy = a_policy(owners=[ACME], open_channels=["open"])
    for said in ("open", "platform", "https://hooks.example.com/x", "*", "https://github.com/acme"):
        assert route(policy, {SOURCE: said, "channel": "open", f"{PREFIX}channels": "open"}).channels == ("platform",)


@pytest.mark.parametrize(
    "said", ["<!channel> " * 50, "\u202eevil", "a\nb\n@everyone", "\x00" * 300, "\ud800", "x" * 100_000]
)
def test_a_hostile_label_is_one_short_line(said: str) -> None:
    (fact,) = route(a_policy(owners=[ANYONE]), {"team": said}).owner
    assert len(fact.value) <= routing.LONGEST + len(" (team, warden.yaml:41)")
    assert fact.value.isprintable() or "\ufffd" in fact.value
    assert "\u202e" not in fact.value
    assert "\n" not in fact.value


def test_a_label_made_to_match_slowly_does_not_hold_up_the_message() -> None:
    owner = {"label": "team", "value": "*a*a*a*b", "channels": ["x"], "origin": "warden.yaml:41"}
    began = time.monotonic()
    assert route(a_policy(owners=[owner]), {"team": "a" * LONGEST}).channels == ("platform",)
    assert time.monotonic() - began < 5
