"""Pages of a listing: `maxResults` a page, and a token for the next one."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from local.registry.errors import invalid
from local.registry.wire import Request, Response


def page(request: Request, items: Sequence[Any], *, default: int = 100) -> tuple[Sequence[Any], Response]:
    """The page that the request asks for, and the members of the response that say whether there is more.

    Raises EcrError for a token that is none of ours.
    """
    start = _start(request["nextToken"]) if "nextToken" in request else 0
    end = start + int(request.get("maxResults", default))
    return items[start:end], ({"nextToken": _token(end)} if end < len(items) else {})


def refuse(request: Request, other: str) -> None:
    """Raises EcrError where paging is combined with `other`, a list of what to look up."""
    if other in request and ("nextToken" in request or "maxResults" in request):
        raise invalid(other, f"nextToken and maxResults can not be used with {other}")


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(f"from:{start}".encode()).decode()


def _start(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("from:"))
    except (ValueError, binascii.Error) as error:
        raise invalid("nextToken", "must be a token of an earlier response") from error
