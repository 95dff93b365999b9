"""What the tests of the local registry share."""

import pytest

from tests.unit.local.a_registry import Small


@pytest.fixture
def small() -> Small:
    """A registry with one empty repository, team/app."""
    small = Small()
    small.call("CreateRepository", repositoryName="team/app")
    small.events.clear()
    small.asked.clear()
    return small
