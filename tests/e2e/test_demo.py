"""The demo's scenario, on the local cloud, with the stack deployed by the real cdk command."""

from collections.abc import Iterator

import pytest

from local.chat import Chat
from local.demo.__main__ import POLICY, deploy, free_port
from local.demo.scenario import Mission
from local.demo.surroundings import an_account

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def mission() -> Iterator[Mission]:
    with Chat() as chat, an_account(free_port(), chat) as account:
        account.ecr.create_repository(repositoryName="legacy/api")
        yield Mission(account, deploy(account, POLICY))


def test_every_step_of_the_mission_ends_as_expected(mission: Mission) -> None:
    seen = [(step.name, step.expected, step.run()) for step in mission.steps()]
    assert [(name, expected, observed.text) for name, expected, observed in seen if not observed.ok] == []
    assert len(seen) > 10
