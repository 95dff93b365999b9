"""How each chat product wants a notice: a module for each, with a pure `render(notice)` and the `HOSTS` it posts to."""

import importlib
from typing import Any, Protocol, cast

from warden.notices import Notice
from warden.policy import ChannelType


class Product(Protocol):
    """What the module of a product has."""

    HOSTS: frozenset[str]
    """Where it may be posted to: `host`, or `*.host` for whatever is below it."""

    def render(self, notice: Notice) -> dict[str, Any]:
        """The payload, within the product's limits whatever the notice says."""


_MODULES = {ChannelType.WEBHOOK: "standard_webhook"}


def product(kind: ChannelType) -> Product:
    """The module of a product. It is imported now: a sandbox pays only for those that its policy names."""
    return cast("Product", importlib.import_module(f"{__name__}.{_MODULES.get(kind, kind.value)}"))
