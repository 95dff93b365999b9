"""What the tests of the local registry share."""

import pytest

from tests.unit.local.a_registry import Small
from tests.unit.local.inspecting import turn_on


@pytest.fixture
def small() -> Small:
    """A registry with one empty repository, team/app."""
    small = Small()
    small.call("CreateRepository", repositoryName="team/app")
    small.events.clear()
    small.asked.clear()
    return small


@pytest.fixture
def inspected(small: Small) -> Small:
    """The registry, under continuous scanning."""
    turn_on(small)
    small.events.clear()
    return small
