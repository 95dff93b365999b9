"""Small downloads from the addresses that ECR gives out, bounded in size and in time.

By botocore's own HTTP client, which is imported anyway. The address is ECR's and not a stranger's, so that any host
will do; what comes from it is held against its digest by whoever asks.
"""

import time

from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from warden.errors import Unavailable

TIMEOUT = 3
"""Seconds for connecting, and for each part to arrive."""
DEADLINE = 8.0
"""Seconds for all of it: a drip of single bytes ends here."""
_PART = 64 * 1024
_TAKEN = 200


def download(url: str, most: int) -> bytes | None:
    """What is at the address; None where it is more than `most` bytes.

    Raises Unavailable where it can't be had in time. The address is a password for an hour and stands in no error.
    """
    ends = time.monotonic() + DEADLINE
    try:
        request = AWSRequest("GET", url, stream_output=True).prepare()
        response = URLLib3Session(timeout=TIMEOUT).send(request)
        if response.status_code != _TAKEN:
            raise Unavailable(f"the download that ECR offered answered {response.status_code}")
        parts: list[bytes] = []
        while part := response.raw.read1(_PART) if hasattr(response.raw, "read1") else response.raw.read(_PART):
            parts.append(part)
            if sum(map(len, parts)) > most:
                return None
            if time.monotonic() > ends:
                raise Unavailable("the download that ECR offered did not end in time")
    except (HTTPClientError, OSError) as error:
        trouble = type(error).__name__
    else:
        return b"".join(parts)
    raise Unavailable(f"the download that ECR offered failed: {trouble}")
