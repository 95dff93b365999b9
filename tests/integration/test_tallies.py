"""A sweep is counted exactly, whatever comes twice or at once."""

from concurrent.futures import ThreadPoolExecutor

from tests.account import Stack
from tests.builders import NOW


def test_each_repository_is_counted_once(stack: Stack) -> None:
    stack.tallies.begin("s", repositories=2, now=NOW)
    last = [
        stack.tallies.count("s", repository, {"changed": 2, "refused": 0}, lines=[f"{repository} differs"], now=NOW)
        for repository in ("team/app", "team/app", "team/other", "team/other")
    ]
    assert last == [False, False, True, False]
    counts, lines = stack.tallies.read("s")
    assert counts == {"expected": 2, "looked_at": 2, "changed": 4, "refused": 0}
    assert lines == {"team/app": ("team/app differs",), "team/other": ("team/other differs",)}


def test_a_repository_with_nothing_to_tell_is_counted_and_not_told(stack: Stack) -> None:
    stack.tallies.begin("s", repositories=1, now=NOW)
    assert stack.tallies.count("s", "team/app", {"compliant": 1}, lines=[], now=NOW)
    assert stack.tallies.read("s") == ({"expected": 1, "looked_at": 1, "compliant": 1}, {})


def test_a_death_between_the_two_writes_loses_the_hint_and_no_repository(stack: Stack) -> None:
    stack.tallies.begin("s", repositories=1, now=NOW)
    stack.tallies.count("s", "team/app", {"changed": 1}, lines=[], now=NOW)
    stack.dynamodb.update_item(
        TableName="ledger", Key={"pk": {"S": "sweep#s"}, "sk": {"S": "tally"}}, UpdateExpression="REMOVE noted"
    )
    assert not stack.tallies.count("s", "team/app", {"changed": 1}, lines=[], now=NOW)
    assert stack.tallies.read("s").counts == {"expected": 1, "looked_at": 1, "changed": 1}


def test_many_at_once_are_all_counted_and_one_is_the_last(stack: Stack) -> None:
    stack.tallies.begin("s", repositories=24, now=NOW)
    with ThreadPoolExecutor(8) as threads:
        last = list(
            threads.map(lambda n: stack.tallies.count("s", f"team/{n}", {"changed": 1}, lines=[], now=NOW), range(24))
        )
    assert last.count(True) == 1
    assert stack.tallies.read("s").counts == {"expected": 24, "looked_at": 24, "changed": 24}


def test_two_sweeps_have_two_tallies(stack: Stack) -> None:
    for sweep, repositories in (("monday", 1), ("tuesday", 2)):
        stack.tallies.begin(sweep, repositories=repositories, now=NOW)
    stack.tallies.count("monday", "team/app", {}, lines=[], now=NOW)
    assert stack.tallies.read("monday").counts == {"expected": 1, "looked_at": 1}
    assert stack.tallies.read("tuesday").counts == {"expected": 2, "looked_at": 0}
