"""How a policy writes what it says of repositories: their names, their tags, and where images are copied to."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from policy.source import describe
from policy.values import as_schema, text
from warden.names import is_repository_name

LONGEST_REPOSITORY = 256

_REPOSITORY_PATTERN = re.compile(r"[0-9a-z._/*-]+")
_TAG_KEY = re.compile(r"[A-Za-z0-9 _.:/=+@-]{1,128}")
_TAG_VALUE_PATTERN = re.compile(r"[A-Za-z0-9 _.:/=+@*-]{1,256}")


def read_repository_pattern(value: Any) -> str:
    """A pattern of repository names; `*` stands for any characters, slashes included."""
    expected = 'a pattern of repository names, such as "team-a/*"'
    pattern = text(value, expected)
    if not _REPOSITORY_PATTERN.fullmatch(pattern):
        hint = f"; did you mean '{pattern.lower()}'?" if _REPOSITORY_PATTERN.fullmatch(pattern.lower()) else ""
        raise ValueError(f"expected {expected}, of lower-case letters, digits and ._/-*, got {describe(value)}{hint}")
    if len(pattern) > LONGEST_REPOSITORY:
        raise ValueError(f"expected {expected}, of at most {LONGEST_REPOSITORY} characters, got {len(pattern)}")
    return pattern


def read_tag_key(value: Any) -> str:
    """The key of a tag of the repository itself."""
    expected = "the key of a repository's tag, such as owner"
    key = text(value, expected)
    if not _TAG_KEY.fullmatch(key) or key.lower().startswith("aws:"):
        raise ValueError(f"expected {expected}, of letters, digits, spaces and _ . : / = + - @, got {describe(value)}")
    return key


def read_tag_value_pattern(value: Any) -> str:
    """A pattern for the value of a repository's tag."""
    expected = "a pattern for the tag's value, such as a* or *"
    pattern = text(value, expected)
    if not _TAG_VALUE_PATTERN.fullmatch(pattern):
        raise ValueError(f"expected {expected}, of at most 256 characters that AWS takes, got {describe(value)}")
    return pattern


def read_regex(value: Any) -> str:
    """A regular expression for whole repository names."""
    expected = "a regular expression for whole repository names"
    pattern = text(value, expected)
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(
            f"expected {expected}, got one that is wrong at character {(error.pos or 0) + 1}: {error.msg}"
        ) from None
    return pattern


def read_prefix(value: Any) -> str:
    """The prefix of a repository creation template, or ROOT for whatever no other prefix covers."""
    expected = "ROOT, or a prefix of repository names such as team-a"
    prefix = text(value, expected)
    if prefix != "ROOT" and prefix.upper() == "ROOT":
        raise ValueError(f"expected {expected}, got {describe(value)}; did you mean 'ROOT'?")
    if prefix != "ROOT" and not is_repository_name(prefix.removesuffix("/")):
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return prefix


def read_target(value: Any) -> str:
    """A repository's name, in which {name} stands for the last part of the one that images come from."""
    expected = "a repository's name such as release/{name}"
    target = text(value, expected)
    if not is_repository_name(target.replace("{name}", "app")):
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return target


RepositoryPattern = Annotated[
    str,
    BeforeValidator(read_repository_pattern),
    as_schema(_REPOSITORY_PATTERN, "* stands for any characters, slashes included", ["team-a/*", "*/sandbox", "app"]),
]
TagKey = Annotated[str, BeforeValidator(read_tag_key), as_schema(_TAG_KEY, "the key of a repository's tag", ["owner"])]
TagValuePattern = Annotated[
    str,
    BeforeValidator(read_tag_value_pattern),
    as_schema(_TAG_VALUE_PATTERN, "* stands for any characters", ["a-*"]),
]
Regex = Annotated[str, BeforeValidator(read_regex), WithJsonSchema({"type": "string", "format": "regex"})]
Prefix = Annotated[str, BeforeValidator(read_prefix), WithJsonSchema({"type": "string", "examples": ["ROOT"]})]
Target = Annotated[
    str, BeforeValidator(read_target), WithJsonSchema({"type": "string", "examples": ["release/{name}"]})
]
