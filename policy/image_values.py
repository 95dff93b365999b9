"""How a policy writes what it says of images: by their tags and by their labels."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from policy.source import describe
from policy.values import LONGEST_WORDS, as_schema, text

UNTAGGED, ANY = "untagged", "any"
LONGEST_PATTERN = 128
MOST_WILDCARDS_OF_A_FILTER = 2
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html"""
MOST_WILDCARDS_OF_A_RULE = 4
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html"""

_TAG_PATTERN = re.compile(r"[0-9A-Za-z._*-]+")
_TAG = re.compile(r"[0-9A-Za-z_][0-9A-Za-z._-]{0,127}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_LABEL_SELECTION = re.compile(rf"{_LABEL.pattern}=.{{1,{LONGEST_WORDS}}}")


def _pattern(value: Any, expected: str, most_wildcards: int) -> str:
    pattern = text(value, expected)
    if not _TAG_PATTERN.fullmatch(pattern):
        raise ValueError(f"expected {expected} of letters, digits and . _ - *, got {describe(value)}")
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"expected {expected} of at most {LONGEST_PATTERN} characters, got {len(pattern)}")
    if pattern.count("*") > most_wildcards:
        raise ValueError(f"expected {expected} with at most {most_wildcards} wildcards (*), got {describe(value)}")
    return pattern


def read_filter(value: Any) -> str:
    """A pattern of tags that may move, as ECR's exclusion filters have it."""
    pattern = _pattern(value, "a tag pattern", MOST_WILDCARDS_OF_A_FILTER)
    if not pattern.strip("*"):
        raise ValueError("a filter for every tag leaves none immutable: name the tags that may move, or set MUTABLE")
    return pattern


def read_tag_pattern(value: Any) -> str:
    """A pattern of tags."""
    return _pattern(value, "a tag pattern", MOST_WILDCARDS_OF_A_RULE)


def read_selection(value: Any) -> str:
    """What a lifecycle rule is about: untagged images, any image, or those with a tag of a pattern."""
    expected = f"{UNTAGGED}, {ANY} or a tag pattern"
    selection = _pattern(value, expected, MOST_WILDCARDS_OF_A_RULE)
    if selection in {UNTAGGED, ANY}:
        return selection
    if selection.lower() in {UNTAGGED, ANY}:
        raise ValueError(f"expected {expected}, got {describe(value)}; did you mean '{selection.lower()}'?")
    if selection in {"tagged", "all"}:
        hint = "'*' for every tagged image" if selection == "tagged" else "'any' for all images"
        raise ValueError(f"expected {expected}, got {describe(value)}, which is the one tag of that name; write {hint}")
    return selection


def read_label(value: Any) -> str:
    """The key of a label in an image's configuration."""
    expected = "a label such as org.opencontainers.image.source"
    label = text(value, expected)
    if not _LABEL.fullmatch(label):
        raise ValueError(f"expected {expected}, of letters, digits and . _ / -, got {describe(value)}")
    return label


def read_label_pattern(value: Any) -> str:
    """A pattern for the value of a label."""
    expected = 'a pattern for the label\'s value, such as "https://github.com/acme/*"'
    pattern = text(value, expected)
    if len(pattern) > LONGEST_WORDS or not pattern.isprintable():
        raise ValueError(f"expected {expected}, of at most {LONGEST_WORDS} characters, got {describe(value)}")
    return pattern


def read_label_selection(value: Any) -> str:
    """A label and a pattern for its value, `key=pattern`: images that have the one with such a value."""
    expected = "a label and a pattern for its value, such as org.acme.ephemeral=true"
    selection = text(value, expected)
    if not _LABEL_SELECTION.fullmatch(selection) or not selection.isprintable():
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return selection


def read_tag_template(value: Any) -> str:
    """The tag that a promoted image gets, in which {tag} stands for the tag that it has."""
    expected = "a tag in which {tag} stands for the image's own, such as {tag}-checked"
    template = text(value, expected)
    if "{tag}" not in template or not _TAG.fullmatch(template.replace("{tag}", "v1")):
        raise ValueError(f"expected {expected}, of letters, digits and . _ -, got {describe(value)}")
    return template


Filter = Annotated[
    str,
    BeforeValidator(read_filter),
    as_schema(_TAG_PATTERN, "a tag pattern, at most 2 wildcards", ["latest", "dev-*"]),
]
TagPattern = Annotated[
    str, BeforeValidator(read_tag_pattern), as_schema(_TAG_PATTERN, "a tag pattern, at most 4 wildcards", ["prod-*"])
]
Selection = Annotated[
    str,
    BeforeValidator(read_selection),
    as_schema(_TAG_PATTERN, "untagged, any, or a tag pattern with at most 4 wildcards", ["untagged", "pr-*", "any"]),
]
TagTemplate = Annotated[
    str, BeforeValidator(read_tag_template), WithJsonSchema({"type": "string", "examples": ["{tag}-checked"]})
]
Label = Annotated[
    str, BeforeValidator(read_label), as_schema(_LABEL, "an image's label", ["org.opencontainers.image.source"])
]
LabelPattern = Annotated[
    str, BeforeValidator(read_label_pattern), WithJsonSchema({"type": "string", "maxLength": LONGEST_WORDS})
]
LabelSelection = Annotated[
    str,
    BeforeValidator(read_label_selection),
    as_schema(_LABEL_SELECTION, "a label, = and a pattern for its value", ["org.acme.ephemeral=true"]),
]
