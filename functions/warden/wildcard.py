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


def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns.

    >>> overlap("v*", "*-rc"), overlap("v*", "dev-*"), overlap("latest", "l*t")
    (True, False, True)
    """
    reachable = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        i, j = waiting.pop()
        a, b = one[i : i + 1], other[j : j + 1]
        if not a and not b:
            return True
        steps = set()
        if a == "*":
            steps |= {(i + 1, j), *([(i, j + 1)] if b else [])}
        if b == "*":
            steps |= {(i, j + 1), *([(i + 1, j)] if a else [])}
        if a and a == b:
            steps.add((i + 1, j + 1))
        waiting += steps - reachable
        reachable |= steps
    return False
