"""Waiting: bounded by the clock, and never without a last look."""

from hypothesis import given
from hypothesis import strategies as st

from cli.patience import Patience
from tests.unit.cli.deployed import Clock


@given(
    seconds=st.floats(0, 1000),
    every=st.floats(0.5, 100),
)
def test_it_looks_at_once_and_when_the_time_is_over_and_waits_no_longer(seconds: float, every: float) -> None:
    clock = Clock()
    end = clock.patience(seconds).until
    looks = [clock.now for _ in clock.patience(seconds).looks(every)]

    assert looks[0] == 1000
    assert looks[-1] == end
    assert all(0 < slept <= every for slept in clock.slept)


def test_where_the_time_was_over_before_there_is_one_look() -> None:
    clock = Clock(now=1000)

    assert len(list(Patience(999, lambda: clock.now, clock.sleep).looks(5))) == 1
    assert clock.slept == []


def test_the_real_one_counts_from_now() -> None:
    patience = Patience.of(3600)

    assert 3500 < patience.until - patience.clock() <= 3600
