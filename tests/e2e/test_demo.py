"""The demo's scenario, on the local cloud, with the stack deployed by the real cdk command."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from infra.functions import FUNCTIONS
from local.chat import Chat
from local.demo.__main__ import POLICY, deploy, free_port
from local.demo.scenario import Mission
from local.demo.surroundings import an_account
from tests.operations import ROWS, Row, users

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Walked:
    """What came of the scenario: each step with what was expected and seen, and every call that the registry had."""

    steps: Sequence[tuple[str, str, str, bool]]
    calls: Sequence[dict[str, str]]


@pytest.fixture(scope="module")
def walked() -> Iterator[Walked]:
    with Chat() as chat, an_account(free_port(), chat) as account:
        account.ecr.create_repository(repositoryName="legacy/api")
        mission = Mission(account, deploy(account, POLICY))
        seen = [(step, step.run()) for step in mission.steps()]
        steps = [(step.name, step.expected, observed.text, observed.ok) for step, observed in seen]
        yield Walked(steps, account.all_calls())


def test_every_step_of_the_mission_ends_as_expected(walked: Walked) -> None:
    assert [step for step in walked.steps if not step[-1]] == []
    assert len(walked.steps) > 25


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_every_operation_is_used_by_what_is_deployed(row: Row, walked: Walked) -> None:
    """Calls that were answered with yes, by the role of a function whose code has them.

    The waiter for a scan is the command's, which a person runs.
    """
    answered = [call for call in walked.calls if (call["operation"], call["outcome"]) == (row.action, "ok")]
    if row.waits:
        answered = [call for call in answered if call["by_waiter"]]
    if row.name == "image_scan_complete":
        assert answered
        return
    titles = {spec.title for spec in FUNCTIONS if spec.name in users(row)}
    assert {title for title in titles for call in answered if title in call["caller"]}, sorted(
        {call["caller"] for call in answered}
    )
