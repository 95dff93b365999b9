"""ECR's one wildcard: `*` stands for any characters, none and slashes included, and nothing else is special."""


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches the pattern, as ECR's tag filters and lifecycle rules mean it.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html

    >>> matches("dev-*", "dev-42"), matches("dev-*", "my-dev-42"), matches("team-a/*", "team-a/api/worker")
    (True, False, True)
    """
    # Not by a regular expression: those try again and again, for minutes where a stranger's text is made for it.
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    at, end = len(first), len(text) - len(last)
    if at > end or not (text.startswith(first) and text.endswith(last)):
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


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
