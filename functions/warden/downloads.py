"""Small downloads from the addresses that ECR gives out, bounded in size and in time.

By botocore's own HTTP client, which is imported anyway. The address is ECR's and not a stranger's, so that any host
will do; what comes from it is held against its digest by whoever asks.
"""

import time

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from urllib3.exceptions import HTTPError

from warden.errors import Unavailable

TIMEOUT = 3
"""Seconds for connecting, and for each part to arrive."""
DEADLINE = 8.0
"""Seconds for all of it: a drip of single bytes ends here."""
_PART = 64 * 1024
"""Bytes at once at most; what is there is taken, so that a drip can't hold us beyond the deadline."""
_TAKEN = 200


def download(url: str, most: int, *, patience: int = TIMEOUT, deadline: float = DEADLINE) -> bytes | None:
    """What is at the address; None where it is more than `most` bytes. No redirect is followed.

    Raises Unavailable where it can't be had in time. The address is a password for an hour and stands in no error.
    """
    ends = time.monotonic() + deadline
    try:
        request = AWSRequest("GET", url, stream_output=True).prepare()
        response = URLLib3Session(timeout=patience).send(request)
        if response.status_code != _TAKEN:
            raise Unavailable(f"the download that ECR offered answered {response.status_code}")
        taken = bytearray()
        while part := response.raw.read1(_PART):
            taken += part
            if len(taken) > most:
                return None
            if time.monotonic() > ends:
                raise Unavailable("the download that ECR offered did not end in time")
        if response.raw.length_remaining:
            raise Unavailable("the download that ECR offered broke off")
    except (BotoCoreError, HTTPError, OSError) as error:  # urllib3's own where an answer stops in the middle
        trouble = type(error).__name__
    else:
        return bytes(taken)
    raise Unavailable(f"the download that ECR offered failed: {trouble}")
