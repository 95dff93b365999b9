"""How each kind of value in a policy is written, and what is said where it is written otherwise.

Every reader takes what the file holds, text as written or a list or mapping in its place, and returns the value or
raises ValueError with the rest of the sentence that names the place.
"""

import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from policy.source import Plain, describe
from warden.names import is_repository_name
from warden.wildcard import matches

UNTAGGED, ANY = "untagged", "any"
LONGEST_PATTERN = 128
LONGEST_REPOSITORY = 256
LONGEST_WORDS = 300
MOST_PERCENT = 100
MOST_WILDCARDS_OF_A_FILTER = 2
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html"""
MOST_WILDCARDS_OF_A_RULE = 4
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html"""

_TAG_PATTERN = re.compile(r"[0-9A-Za-z._*-]+")
_REPOSITORY_PATTERN = re.compile(r"[0-9a-z._/*-]+")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_DURATION = re.compile(r"([1-9][0-9]{0,4}) ?(d|days?|w|weeks?)")
_SIZE = re.compile(r"([1-9][0-9]{0,8}) ?([kKMGT]i?B|B)")
_PROBABILITY = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?(%?)")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_TAG_KEY = re.compile(r"[A-Za-z0-9 _.:/=+@-]{1,128}")
_TAG_VALUE_PATTERN = re.compile(r"[A-Za-z0-9 _.:/=+@*-]{1,256}")
_VULNERABILITY = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}")
_CHANNEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_TOPIC = re.compile(r"arn:aws(?:-[a-z]+)*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::[1-9][0-9]{0,4})?")


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


def _plain(value: Any, expected: str) -> str:
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
    if _plain(value, "1") != "1":
        raise ValueError(f"expected 1, the only version that there is, got {describe(value)}")
    return 1


_TRUTHS = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}


def read_switch(value: Any) -> bool:
    """True or false, and no other word for them."""
    word = _plain(value, "true or false")
    if word not in {"true", "false"}:
        meant = _TRUTHS.get(word.lower(), word.lower())
        raise ValueError(f"expected true or false, got {describe(value)}{did_you_mean(meant, ('true', 'false'))}")
    return word == "true"


def read_count(value: Any) -> int:
    """A whole number from 1."""
    expected = "a whole number from 1"
    word = _plain(value, expected)
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


def read_number(value: Any) -> int:
    """A whole number from 0; of a cap, 0 means none."""
    expected = "a whole number from 0"
    word = _plain(value, expected)
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


def read_account(value: Any) -> str:
    """An AWS account's number: text, however much it looks like a number."""
    account = text(value, "an account number of 12 digits")
    if not _ACCOUNT.fullmatch(account):
        hint = ": leave out the hyphens" if _ACCOUNT.fullmatch(account.replace("-", "")) else ""
        raise ValueError(f"expected an account number of 12 digits, got {describe(value)}{hint}")
    return account


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


def read_channel_name(value: Any) -> str:
    """What a channel is called in this file."""
    expected = "a channel's name of lower-case letters, digits and hyphens"
    name = text(value, expected)
    if not _CHANNEL.fullmatch(name):
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return name


def read_topic(value: Any) -> str:
    """The ARN of an SNS topic."""
    expected = "an SNS topic's ARN, such as arn:aws:sns:eu-west-1:111122223333:images"
    arn = text(value, expected)
    if not _TOPIC.fullmatch(arn):
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return arn


def read_secret_name(value: Any) -> str:
    """The name of a secret in Secrets Manager. What stands here by mistake may be the secret: it is never shown."""
    expected = "the name of a secret in Secrets Manager, such as warden/slack-platform"
    name = text(value, expected)
    if "://" in name or matches("*hooks.slack*", name):
        raise ValueError(
            f"expected {expected}, got a URL: a webhook's URL is its password; store it by `aws secretsmanager "
            "create-secret`, and if this file was ever shared make a new webhook"
        )
    if name.startswith("arn:"):
        raise ValueError(f"expected {expected}, got an ARN: write its name alone")
    if not _SECRET.fullmatch(name):
        raise ValueError(f"expected {expected}, of letters, digits and / _ + = . @ -")
    return name


def read_host(value: Any) -> str:
    """A host that a channel's URL may have besides its product's own."""
    expected = "a host such as hooks.example.com, or host:port"
    host = text(value, expected)
    if not _HOST.fullmatch(host):
        hint = ": leave out https:// and the path" if "://" in host else ""
        raise ValueError(f"expected {expected}, got {describe(value)}{hint}")
    return host


def _schema(pattern: re.Pattern[str], description: str, examples: list[str]) -> WithJsonSchema:
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
    _schema(_DURATION, "days or weeks", ["7d", "2w"]),
]
Number = Annotated[int, BeforeValidator(read_number), WithJsonSchema({**_FROM_ONE, "minimum": 0})]
Percent = Annotated[
    int, BeforeValidator(read_percent), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 100})
]
Bytes = Annotated[int, BeforeValidator(read_bytes), _schema(_SIZE, "a size", ["50 GB", "20GiB"])]
Probability = Annotated[
    float, BeforeValidator(read_probability), _schema(_PROBABILITY, "from 0 to 1, or in percent", ["10%", "0.1"])
]
Label = Annotated[
    str, BeforeValidator(read_label), _schema(_LABEL, "an image's label", ["org.opencontainers.image.source"])
]
LabelPattern = Annotated[
    str, BeforeValidator(read_label_pattern), WithJsonSchema({"type": "string", "maxLength": LONGEST_WORDS})
]
Account = Annotated[str, BeforeValidator(read_account), _schema(_ACCOUNT, "12 digits, in quotes", ["111122223333"])]
TagKey = Annotated[str, BeforeValidator(read_tag_key), _schema(_TAG_KEY, "the key of a repository's tag", ["owner"])]
TagValuePattern = Annotated[
    str,
    BeforeValidator(read_tag_value_pattern),
    _schema(_TAG_VALUE_PATTERN, "* stands for any characters", ["a-*"]),
]
Regex = Annotated[str, BeforeValidator(read_regex), WithJsonSchema({"type": "string", "format": "regex"})]
Vulnerability = Annotated[
    str, BeforeValidator(read_vulnerability), _schema(_VULNERABILITY, "a CVE or a GHSA", ["CVE-2026-1234"])
]
Day = Annotated[str, BeforeValidator(read_date), WithJsonSchema({"type": "string", "format": "date"})]
Words = Annotated[str, BeforeValidator(read_words), WithJsonSchema({"type": "string", "maxLength": LONGEST_WORDS})]
Prefix = Annotated[str, BeforeValidator(read_prefix), WithJsonSchema({"type": "string", "examples": ["ROOT"]})]
Target = Annotated[
    str, BeforeValidator(read_target), WithJsonSchema({"type": "string", "examples": ["release/{name}"]})
]
Filter = Annotated[
    str, BeforeValidator(read_filter), _schema(_TAG_PATTERN, "a tag pattern, at most 2 wildcards", ["latest", "dev-*"])
]
TagPattern = Annotated[
    str, BeforeValidator(read_tag_pattern), _schema(_TAG_PATTERN, "a tag pattern, at most 4 wildcards", ["prod-*"])
]
Selection = Annotated[
    str,
    BeforeValidator(read_selection),
    _schema(_TAG_PATTERN, "untagged, any, or a tag pattern with at most 4 wildcards", ["untagged", "pr-*", "any"]),
]
RepositoryPattern = Annotated[
    str,
    BeforeValidator(read_repository_pattern),
    _schema(_REPOSITORY_PATTERN, "* stands for any characters, slashes included", ["team-a/*", "*/sandbox", "app"]),
]
ChannelName = Annotated[
    str, BeforeValidator(read_channel_name), _schema(_CHANNEL, "a name from `channels`", ["platform"])
]
SecretName = Annotated[
    str,
    BeforeValidator(read_secret_name),
    _schema(_SECRET, "the secret's name, never the URL itself", ["warden/slack-platform"]),
]
Topic = Annotated[
    str,
    BeforeValidator(read_topic),
    _schema(_TOPIC, "an SNS topic's ARN", ["arn:aws:sns:eu-west-1:111122223333:images"]),
]
Host = Annotated[str, BeforeValidator(read_host), _schema(_HOST, "a host, or host:port", ["hooks.example.com"])]
