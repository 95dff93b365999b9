"""Where images are promoted to: which client is used for which target, and with whose credentials."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from tests.builders import HOME, NOW
from tests.promoting import an_empty_registry, client_of
from warden.errors import Refused
from warden.layer_copy import LayerCopy
from warden.layers import LayerStore
from warden.lending import Credentials, Denied, Lending, connect
from warden.names import RepositoryName
from warden.promotion import Target
from warden.release_places import LENT_FOR, ReleasePlaces

ROLE = "arn:aws:iam::444455556666:role/ecr-warden-promotion"
RELEASE = RepositoryName("release/app")
AT_HOME = Target(RELEASE, HOME.account, HOME.region)
IN_IRELAND = Target(RELEASE, HOME.account, "eu-west-1")
THERE = Target(RELEASE, "444455556666", "eu-west-1", ROLE)


class Doors:
    """Lends what a test says, and remembers who connected, with what."""

    def __init__(self) -> None:
        self.lent: list[str] = []
        self.connected: list[tuple[str, str, Credentials | None]] = []
        self.denies = False
        self.client = client_of(an_empty_registry())

    def places(self) -> ReleasePlaces:
        return ReleasePlaces(HOME, self.client, lending=self, connect=self._connect, copy_to=self._copy_to)

    def lend(self, role: str) -> Credentials:
        if self.denies:
            raise Denied("not authorized to perform: sts:AssumeRole")
        self.lent.append(role)
        return Credentials("key", "secret", f"token {len(self.lent)}")

    def _connect(self, service: str, region: str, lent: Credentials | None) -> Any:
        self.connected.append((service, region, lent))
        return self.client

    def _copy_to(self, _target: Target, layers: LayerStore, _now: Any) -> LayerCopy:
        return LayerCopy(layers, layers, Nowhere(), download=lambda *_: bytearray())


class Nowhere:
    """Remembers no upload."""

    def of(self, *_: Any) -> None:
        return None

    def keep(self, *_: Any) -> None:
        return None

    def forget(self, *_: Any) -> None:
        return None


def test_our_own_registry_needs_no_other_client() -> None:
    doors = Doors()
    doors.places().at(AT_HOME, now=NOW)
    assert (doors.connected, doors.lent) == ([], [])


def test_another_region_is_connected_to_once_with_our_own_credentials() -> None:
    doors = Doors()
    places = doors.places()
    for hours in (0, 5):
        places.at(IN_IRELAND, now=NOW + timedelta(hours=hours))
    assert doors.connected == [("ecr", "eu-west-1", None)]


def test_another_account_lends_its_credentials_anew_before_they_end() -> None:
    doors = Doors()
    places = doors.places()
    for after in (timedelta(0), LENT_FOR, LENT_FOR + timedelta(seconds=1)):
        places.at(THERE, now=NOW + after)
    assert doors.lent == [ROLE, ROLE]
    assert [lent.token for _, _, lent in doors.connected if lent] == ["token 1", "token 2"]


def test_a_role_in_our_own_account_is_assumed_too() -> None:
    doors = Doors()
    doors.places().at(Target(RELEASE, HOME.account, HOME.region, ROLE), now=NOW)
    assert doors.lent == [ROLE]


def test_a_role_that_does_not_let_us_in_is_refused_with_what_to_do() -> None:
    doors = Doors()
    doors.denies = True
    with pytest.raises(Refused, match="let its trust policy name the warden's promote role"):
        doors.places().at(THERE, now=NOW)


@mock_aws
def test_a_role_is_assumed_and_its_credentials_are_used() -> None:
    sts = boto3.client("sts", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    lent = Lending(sts).lend(ROLE)
    client = connect(Config(), "sts", "eu-west-1", lent)
    assert client.get_caller_identity()["Account"] == "444455556666"
    assert client.meta.region_name == "eu-west-1"


@mock_aws
@pytest.mark.parametrize(("code", "kind"), [("AccessDenied", Denied), ("Throttling", Exception)])
def test_what_sts_says_against_it_is_said_where_no_retry_mends_it(code: str, kind: type[Exception]) -> None:
    sts = boto3.client(
        "sts",
        "eu-central-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )

    sts.meta.events.register("before-call.sts", _answer(code))
    with pytest.raises(kind, match="made up for a test") as caught:
        Lending(sts).lend(ROLE)
    assert isinstance(caught.value, Denied) == (code == "AccessDenied")


def _answer(code: str) -> Any:
    """Whoever listens to `before-call` answers in place of AWS."""

    class Response:
        status_code = 403

    def answer(**_: Any) -> tuple[Response, Mapping[str, Any]]:
        return Response(), {"Error": {"Code": code, "Message": "made up for a test"}}

    return answer
