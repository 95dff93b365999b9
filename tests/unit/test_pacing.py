"""No operation is called more often than its rate allows, whatever the callers do."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tests.wire import Wire, ok
from warden.pacing import BURST, READS_A_SECOND, WRITES_A_SECOND, Pace


@dataclass
class Clock:
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_burst_is_free_and_the_next_call_waits_for_its_token() -> None:
    clock = Clock()
    pace = Pace(clock.read, clock.sleep)
    for _ in range(BURST):
        pace.wait("DescribeImages")
    assert clock.slept == []
    pace.wait("DescribeImages")
    assert clock.slept == [1 / READS_A_SECOND]


def test_each_operation_has_a_bucket_of_its_own() -> None:
    clock = Clock()
    pace = Pace(clock.read, clock.sleep)
    for operation in ("DescribeImages", "GetLifecyclePolicy", "PutLifecyclePolicy"):
        for _ in range(BURST):
            pace.wait(operation)
    assert clock.slept == []


@given(st.lists(st.floats(0, 2), min_size=1, max_size=80), st.sampled_from(["DescribeImages", "PutImage"]))
def test_in_any_time_there_are_no_more_calls_than_the_burst_and_the_rate_allow(
    pauses: list[float], operation: str
) -> None:
    clock = Clock()
    pace = Pace(clock.read, clock.sleep)
    calls = []
    for pause in pauses:
        clock.now += pause
        pace.wait(operation)
        calls.append(clock.now)
    rate = READS_A_SECOND if operation == "DescribeImages" else WRITES_A_SECOND
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            assert last - first + 1 <= BURST + rate * (calls[last] - calls[first]) + 1e-6


def test_every_attempt_of_a_client_takes_a_token() -> None:
    clock = Clock()
    wire = Wire(lambda *_: ok({"repositories": []}))
    client = Pace(clock.read, clock.sleep).hold(wire.client())
    for _ in range(BURST + 2):
        client.describe_repositories()
    assert len(clock.slept) == 2
