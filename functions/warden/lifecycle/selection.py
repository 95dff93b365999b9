"""Which images a lifecycle rule is about, by their tags."""

from collections.abc import Callable, Sequence
from operator import not_

from warden.lifecycle.rules import Rule, TagStatus
from warden.wildcard import matches

MeetsTags = Callable[[Sequence[str]], bool]
"""Whether an image with these tags meets a rule's requirements."""


def about(rule: Rule) -> MeetsTags:
    """The test of an image's tags that the rule makes, chosen once a rule since it runs once an image.

    Each entry of the rule's list must be met by some tag of the image, not all entries by the same one.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
    """
    if rule.tag_status is TagStatus.ANY:
        return every_image
    if rule.tag_status is TagStatus.UNTAGGED:
        return not_
    tests = [_some_tag_starts(prefix) for prefix in rule.prefixes] + [_some_tag_matches(each) for each in rule.patterns]
    if len(tests) == 1:
        return tests[0]
    return lambda tags: bool(tags) and all(test(tags) for test in tests)


def every_image(tags: Sequence[str]) -> bool:  # noqa: ARG001 - one signature for all tests
    """The test that every image passes."""
    return True


def _some_tag_matches(pattern: str) -> MeetsTags:
    """The cheapest test that says the same as the pattern."""
    head, wildcard, tail = pattern.partition("*")
    if not wildcard:
        return lambda tags: pattern in tags
    if not tail.strip("*"):
        return _some_tag_starts(head) if head else bool

    def meets(tags: Sequence[str]) -> bool:
        for tag in tags:  # noqa: SIM110 - any() over a generator takes twice as long
            if matches(pattern, tag):
                return True
        return False

    return meets


def _some_tag_starts(prefix: str) -> MeetsTags:
    def meets(tags: Sequence[str]) -> bool:
        for tag in tags:  # noqa: SIM110 - the same
            if tag.startswith(prefix):
                return True
        return False

    return meets
