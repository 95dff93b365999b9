"""Downloads of layers: what the URLs answer that GetDownloadUrlForLayer gives, which are signed URLs of S3's on AWS.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
"""

import re
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

from local.registry.http import Reply
from local.registry.store import Fault, Registry

KINDS = get_args(get_type_hints(Fault)["how"])
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_OTHER = bytes(byte ^ 0xFF for byte in range(256))
_BINARY = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}


def reply(registry: Registry, key: str, range_: str = "") -> Reply:
    """The bytes behind a URL, or those of a `Range` header; 403 where its time is over, as S3 says it."""
    found = registry.downloads.get(key)
    fault = _fault(registry, found.digest) if found else None
    if found is None or registry.clock() >= found.expires_at or fault == "expired":
        return Reply(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
    data = found.data[: len(found.data) // 2] if fault == "truncated" else found.data
    asked = _RANGE.fullmatch(range_)
    if asked is None:
        return Reply(200, _spoilt(data, fault), dict(_BINARY))
    first = int(asked[1])
    if first >= len(data):
        return Reply(416, headers={"Content-Range": f"bytes */{len(data)}"})
    last = min(int(asked[2] or len(data)), len(data) - 1)
    headers = {**_BINARY, "Content-Range": f"bytes {first}-{last}/{len(data)}"}
    return Reply(206, _spoilt(data[first : last + 1], fault), headers)


def spoil(registry: Registry, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let the next `count` downloads of a layer go wrong.

    `{"digest": "sha256:…", "how": "truncated|corrupted|substituted|expired", "count": 3}`
    """
    if order["how"] not in KINDS:
        raise ValueError(f"how is one of {', '.join(KINDS)}")
    registry.faults[order["digest"]] = Fault(order["how"], int(order["count"]))
    return order


def _fault(registry: Registry, digest: str) -> str | None:
    """What is to go wrong with this download."""
    with registry.lock:
        fault = registry.faults.get(digest)
        if fault is None or fault.left <= 0:
            return None
        fault.left -= 1
        return fault.how


def _spoilt(data: bytes, fault: str | None) -> bytes:
    """One byte is another where the layer is corrupted, all are where it is substituted."""
    if fault == "corrupted":
        return data[:1].translate(_OTHER) + data[1:]
    return data.translate(_OTHER) if fault == "substituted" else data
