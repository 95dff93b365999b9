"""How a value in a policy is written, and what is said where it is written otherwise: words, numbers, times, sizes.

Every reader takes what the file holds, text as written or a list or mapping in its place, and returns the value or
raises ValueError with the rest of the sentence that names the place. What is written of images, of repositories and of
AWS has modules of its own.
"""

import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from policy.source import Plain, describe

LONGEST_WORDS = 300
MOST_PERCENT = 100
LEAST_DAYS_OF_ARCHIVE = 90
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html"""
LEAST_DAYS_EMPTY = 7
"""Who makes a repository on a Friday may well push to it on Monday."""

_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_DURATION = re.compile(r"([1-9][0-9]{0,4}) ?(d|days?|w|weeks?)")
_SIZE = re.compile(r"([1-9][0-9]{0,8}) ?([kKMGT]i?B|B)")
_PROBABILITY = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?(%?)")
_VULNERABILITY = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence: the known word that is nearest, or nothing."""
    by_lower = {option.lower(): option for option in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean '{by_lower[near[0]]}'?" if near else ""


def text(value: Any, expected: str) -> str:
    """The value, where it is text; `expected` is how the error calls what should stand there."""
    if not isinstance(value, str) or value == "":
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return str(value)


def plain(value: Any, expected: str) -> str:
    """Text that stands without quotes: in quotes, editors and people take it for text."""
    word = text(value, expected)
    if not isinstance(value, Plain):
        raise ValueError(f"expected {expected}, got text in quotes: take the quotes away")
    return word


def read_word(value: Any, words: type[StrEnum]) -> str:
    """One of a few words."""
    expected = f"one of {', '.join(words)}"
    word = text(value, expected)
    if word not in set(words):
        raise ValueError(f"expected {expected}, got {describe(value)}{did_you_mean(word, words)}")
    return word


def read_version(value: Any) -> int:
    """The version of the policy's language."""
    if plain(value, "1") != "1":
        raise ValueError(f"expected 1, the only version that there is, got {describe(value)}")
    return 1


_TRUTHS = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}


def read_switch(value: Any) -> bool:
    """True or false, and no other word for them."""
    word = plain(value, "true or false")
    if word not in {"true", "false"}:
        meant = _TRUTHS.get(word.lower(), word.lower())
        raise ValueError(f"expected true or false, got {describe(value)}{did_you_mean(meant, ('true', 'false'))}")
    return word == "true"


def read_count(value: Any) -> int:
    """A whole number from 1."""
    expected = "a whole number from 1"
    word = plain(value, expected)
    if not _COUNT.fullmatch(word):
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return int(word)


def read_days(value: Any) -> int:
    """A duration in days; ECR counts in nothing smaller."""
    expected = "a number of days or weeks, such as 7d or 2w"
    word = text(value, expected)
    match = _DURATION.fullmatch(word)
    if match is None:
        hint = f"; did you mean '{word}d'?" if _COUNT.fullmatch(word) else ""
        raise ValueError(f"expected {expected}, got {describe(value)}{hint}")
    return int(match[1]) * (7 if match[2].startswith("w") else 1)


def read_days_of_archive(value: Any) -> int:
    """How long an image stays in the archive, in days: ECR's rules delete nothing from it earlier."""
    days = read_days(value)
    if days < LEAST_DAYS_OF_ARCHIVE:
        raise ValueError(
            f"expected at least {LEAST_DAYS_OF_ARCHIVE}d, got {describe(value)}: ECR charges for as long at least, and "
            "its rules delete nothing from the archive earlier"
        )
    return days


def read_days_empty(value: Any) -> int:
    """How old an empty repository may become, in days: it is made before anything is pushed to it."""
    days = read_days(value)
    if days < LEAST_DAYS_EMPTY:
        raise ValueError(
            f"expected at least {LEAST_DAYS_EMPTY}d, got {describe(value)}: a repository is made before its first push"
        )
    return days


def read_number(value: Any) -> int:
    """A whole number from 0; of a cap, 0 means none."""
    expected = "a whole number from 0"
    word = plain(value, expected)
    if word != "0" and not _COUNT.fullmatch(word):
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return int(word)


def read_percent(value: Any) -> int:
    """A share in percent."""
    expected = "a whole number from 0 to 100, or one with a percent sign"
    word = text(value, expected).removesuffix("%").strip()
    if not (word == "0" or _COUNT.fullmatch(word)) or int(word) > MOST_PERCENT:
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return int(word)


def read_bytes(value: Any) -> int:
    """A size; k, M, G and T count in thousands, Ki, Mi, Gi and Ti in 1,024."""
    expected = "a size such as 50 GB or 20GiB"
    word = text(value, expected)
    match = _SIZE.fullmatch(word)
    if match is None:
        hint = f"; did you mean '{word} GB'?" if _COUNT.fullmatch(word) else ""
        raise ValueError(f"expected {expected}, got {describe(value)}{hint}")
    unit = match[2].upper()
    power = " KMGT".index(unit[0]) if unit[0] != "B" else 0
    base: int = 1024 if "I" in unit else 1000
    return int(match[1]) * int(base**power)


def read_probability(value: Any) -> float:
    """A probability: between 0 and 1, or in percent."""
    expected = "a probability such as 10% or 0.1"
    word = text(value, expected)
    match = _PROBABILITY.fullmatch(word)
    if match is None or float(match[1]) > (MOST_PERCENT if match[2] else 1):
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return float(match[1]) / (MOST_PERCENT if match[2] else 1)


def read_vulnerability(value: Any) -> str:
    """The identifier of a vulnerability, as findings have it."""
    expected = "an identifier such as CVE-2026-1234 or GHSA-xxxx-xxxx-xxxx"
    name = text(value, expected)
    if not _VULNERABILITY.fullmatch(name):
        hint = f"; did you mean '{name.upper()}'?" if _VULNERABILITY.fullmatch(name.upper()) else ""
        raise ValueError(f"expected {expected}, got {describe(value)}{hint}")
    return name


def read_date(value: Any) -> str:
    """A day, the last on which something holds."""
    expected = "a date such as 2027-01-31"
    day = text(value, expected)
    try:
        found = date.fromisoformat(day)
    except ValueError:
        found = None
    if found is None or found.isoformat() != day:
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return day


def read_words(value: Any) -> str:
    """A line for people."""
    words = text(value, "a few words").strip()
    if not words or len(words) > LONGEST_WORDS or not words.isprintable():
        raise ValueError(f"expected a line of at most {LONGEST_WORDS} characters, got {describe(value)}")
    return words


def as_schema(pattern: re.Pattern[str], description: str, examples: list[str]) -> WithJsonSchema:
    """How the JSON Schema says that a value is text of this form."""
    return WithJsonSchema(
        {"type": "string", "pattern": f"^(?:{pattern.pattern})$", "description": description, "examples": examples}
    )


_ONE = {"type": "integer", "const": 1}
_FROM_ONE = {"type": "integer", "minimum": 1, "maximum": 999_999_999, "examples": [30]}

Version = Annotated[int, BeforeValidator(read_version), WithJsonSchema(_ONE)]
Switch = Annotated[bool, BeforeValidator(read_switch)]
Count = Annotated[int, BeforeValidator(read_count), WithJsonSchema(_FROM_ONE)]
Days = Annotated[
    int,
    BeforeValidator(read_days),
    as_schema(_DURATION, "days or weeks", ["7d", "2w"]),
]
DaysOfArchive = Annotated[
    int, BeforeValidator(read_days_of_archive), as_schema(_DURATION, "90 days or more, or weeks", ["180d"])
]
DaysEmpty = Annotated[int, BeforeValidator(read_days_empty), as_schema(_DURATION, "7 days or more, or weeks", ["90d"])]
Number = Annotated[int, BeforeValidator(read_number), WithJsonSchema({**_FROM_ONE, "minimum": 0})]
Percent = Annotated[
    int, BeforeValidator(read_percent), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 100})
]
Bytes = Annotated[int, BeforeValidator(read_bytes), as_schema(_SIZE, "a size", ["50 GB", "20GiB"])]
Probability = Annotated[
    float, BeforeValidator(read_probability), as_schema(_PROBABILITY, "from 0 to 1, or in percent", ["10%", "0.1"])
]
Vulnerability = Annotated[
    str, BeforeValidator(read_vulnerability), as_schema(_VULNERABILITY, "a CVE or a GHSA", ["CVE-2026-1234"])
]
Day = Annotated[str, BeforeValidator(read_date), WithJsonSchema({"type": "string", "format": "date"})]
Words = Annotated[str, BeforeValidator(read_words), WithJsonSchema({"type": "string", "maxLength": LONGEST_WORDS})]
