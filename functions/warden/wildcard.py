"""ECR's one wildcard: `*` stands for any characters, none and slashes included, and nothing else is special."""

import re
from functools import lru_cache


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches the pattern, as ECR's tag filters and lifecycle rules mean it.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html

    >>> matches("dev-*", "dev-42"), matches("dev-*", "my-dev-42"), matches("team-a/*", "team-a/api/worker")
    (True, False, True)
    """
    return _compiled(pattern).fullmatch(text) is not None
