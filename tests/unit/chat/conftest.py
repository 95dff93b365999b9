"""The chat that each test has for itself."""

from collections.abc import Iterator

import pytest

from local.chat import Chat


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat(channel="security") as chat:
        yield chat
