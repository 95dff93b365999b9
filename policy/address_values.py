"""How a policy writes who or what it means outside the registry: accounts, regions, roles, channels and addresses."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from policy.source import describe
from policy.values import as_schema, text
from warden.wildcard import matches

_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[1-9][0-9]?")
_ROLE = re.compile(r"arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}")
_FUNCTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHANNEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_TOPIC = re.compile(r"arn:aws(?:-[a-z]+)*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::[1-9][0-9]{0,4})?")


def read_account(value: Any) -> str:
    """An AWS account's number: text, however much it looks like a number."""
    account = text(value, "an account number of 12 digits")
    if not _ACCOUNT.fullmatch(account):
        hint = ": leave out the hyphens" if _ACCOUNT.fullmatch(account.replace("-", "")) else ""
        raise ValueError(f"expected an account number of 12 digits, got {describe(value)}{hint}")
    return account


def read_region(value: Any) -> str:
    """The name of a region."""
    expected = "a region such as eu-west-1"
    region = text(value, expected)
    if not _REGION.fullmatch(region):
        hint = f"; did you mean '{region.lower()}'?" if _REGION.fullmatch(region.lower()) else ""
        raise ValueError(f"expected {expected}, got {describe(value)}{hint}")
    return region


def read_role(value: Any) -> str:
    """The ARN of a role: its name alone would not say whose it is."""
    expected = "a role's ARN, such as arn:aws:iam::444455556666:role/ecr-warden-inventory"
    role = text(value, expected)
    if not _ROLE.fullmatch(role):
        raise ValueError(f"expected {expected}, got {describe(value)}")
    return role


def read_function(value: Any) -> str:
    """The name of a Lambda function of the author's own, in the account and region that the warden is in."""
    expected = "the name of a Lambda function, such as nomad-images"
    function = text(value, expected)
    if function.startswith("arn:"):
        raise ValueError(f"expected {expected}, got an ARN: write its name alone")
    if not _FUNCTION.fullmatch(function):
        raise ValueError(f"expected {expected}, of letters, digits and _ -, got {describe(value)}")
    return function


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


Account = Annotated[str, BeforeValidator(read_account), as_schema(_ACCOUNT, "12 digits, in quotes", ["111122223333"])]
Region = Annotated[str, BeforeValidator(read_region), as_schema(_REGION, "a region", ["eu-west-1"])]
Role = Annotated[
    str,
    BeforeValidator(read_role),
    as_schema(_ROLE, "a role's ARN", ["arn:aws:iam::444455556666:role/ecr-warden-inventory"]),
]
FunctionName = Annotated[
    str, BeforeValidator(read_function), as_schema(_FUNCTION, "the name of a Lambda function", ["nomad-images"])
]
ChannelName = Annotated[
    str, BeforeValidator(read_channel_name), as_schema(_CHANNEL, "a name from `channels`", ["platform"])
]
SecretName = Annotated[
    str,
    BeforeValidator(read_secret_name),
    as_schema(_SECRET, "the secret's name, never the URL itself", ["warden/slack-platform"]),
]
Topic = Annotated[
    str,
    BeforeValidator(read_topic),
    as_schema(_TOPIC, "an SNS topic's ARN", ["arn:aws:sns:eu-west-1:111122223333:images"]),
]
Host = Annotated[str, BeforeValidator(read_host), as_schema(_HOST, "a host, or host:port", ["hooks.example.com"])]
