"""The policy as its author writes it: which keys there are, what each means, and how its value is written.

Whatever stands here stands in the JSON Schema that editors use (`warden schema`). A field that is not written is not
set: `model_fields_set` tells what the author said, and the built-in defaults stand in `policy.layers`.
"""

from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag

from policy.address_values import ChannelName, FunctionName, Host, Region, Role, SecretName, Topic
from policy.image_values import Label, LabelPattern
from policy.parts import NOT_WRITTEN, ChannelType, Mode, Part, Preset, SourceWord
from policy.repository_values import Prefix, Regex, RepositoryPattern, TagKey, TagValuePattern
from policy.sections import Sections
from policy.values import Day, Version, Vulnerability, Words


class Defaults(Sections):
    """What is asked of every repository, unless a rule says otherwise."""

    channels: list[ChannelName] = Field(
        description="Where notices go unless a rule says otherwise, and those about the whole registry.",
        examples=[["platform"]],
    )


class Match(Part):
    """Which repositories: those that every given part matches."""

    name: RepositoryPattern = Field(NOT_WRITTEN, description="The whole name, with *.", examples=["team-a/*"])
    regex: Regex = Field(NOT_WRITTEN, description="The whole name, as a regular expression.", examples=["team-[ab]/.+"])
    tag: dict[TagKey, TagValuePattern] = Field(
        NOT_WRITTEN, description="Patterns for the values of the repository's tags, by key.", examples=[{"team": "a*"}]
    )


def _kind_of_match(value: Any) -> str:
    return "parts" if isinstance(value, dict) else "name"


class Rule(Sections):
    """What is asked of the repositories that match, in place of the defaults, field by field."""

    match: Annotated[
        Annotated[RepositoryPattern, Tag("name")] | Annotated[Match, Tag("parts")], Discriminator(_kind_of_match)
    ] = Field(
        description="Which repositories: the whole name, where * stands for any characters, slashes included; or a "
        "mapping of name, regex and tag. Every matching rule applies, in the file's order; later wins, field by field.",
        examples=["team-a/*"],
    )


class Exemption(Part):
    """A finding that is accepted until a day."""

    cve: Vulnerability = Field(description="Which vulnerability.", examples=["CVE-2026-1234"])
    repositories: list[RepositoryPattern] = Field(description="In which repositories.", examples=[["team-a/*"]])
    package: Words = Field(NOT_WRITTEN, description="In which package; in any where not written.", examples=["openssl"])
    until: Day = Field(description="The last day on which it is accepted.", examples=["2027-01-31"])
    reason: Words = Field(description="Why it may wait.", examples=["not reachable"])
    approved_by: Words = Field(description="Who says so.", examples=["alice"])


class Owner(Part):
    """Whose images carry a label: for repositories of which neither a rule nor a tag of theirs says who is told."""

    label: Label = Field(
        description="The label in the image's configuration.", examples=["org.opencontainers.image.source"]
    )
    value: LabelPattern = Field(
        description="The whole value, where * stands for any characters.", examples=["https://github.com/acme/pay*"]
    )
    channels: list[ChannelName] = Field(description="The channels that are told.", examples=[["team-a"]])


class Overrides(Part):
    """What repositories may choose by their own tags, besides being stricter."""

    channels: list[ChannelName] = Field(
        description="The channels that a repository may choose by its tag warden:channels.", examples=[["team-a"]]
    )


class Channel(Part):
    """Where notices go."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"type": {"const": "sns"}}},
            "then": {"required": ["topic"], "properties": {"secret": False}},
            "else": {"required": ["secret"], "properties": {"topic": False}},
        }
    )

    type: ChannelType = Field(description="The kind of chat.", examples=["slack"])
    secret: SecretName = Field(
        NOT_WRITTEN,
        description="The name of the secret, in Secrets Manager, that holds the channel's webhook URL (or Slack's bot "
        "token, or the URL and key of a signed webhook); never the URL itself. Every type but sns has one.",
        examples=["warden/slack-platform"],
    )
    topic: Topic = Field(
        NOT_WRITTEN,
        description="The topic's ARN, for type sns.",
        examples=["arn:aws:sns:eu-west-1:111122223333:images"],
    )
    hosts: list[Host] = Field(
        NOT_WRITTEN,
        description="Hosts that the URL may have besides the chat's own; for a relay of your own.",
        examples=[["hooks.example.com"]],
    )


class Inventory(Part):
    """Who is asked what is in use, where `protect.in_use` asks for it."""

    sources: list[SourceWord] = Field(
        NOT_WRITTEN,
        description="The services that are asked: ecs, lambda and eks where this is not written; batch and app_runner "
        "besides. Where one does not answer in full, nothing leaves.",
        examples=[["ecs", "lambda", "eks"]],
    )
    regions: list[Region] = Field(
        NOT_WRITTEN,
        description="Regions besides the registry's own in which its images run.",
        examples=[["eu-west-1"]],
    )
    roles: list[Role] = Field(
        NOT_WRITTEN,
        description="Roles of other accounts in which its images run, one an account: the warden takes them on to ask "
        "there.",
        examples=[["arn:aws:iam::444455556666:role/ecr-warden-inventory"]],
    )
    functions: list[FunctionName] = Field(
        NOT_WRITTEN,
        description="Lambda functions of your own that say which images anything else runs.",
        examples=[["nomad-images"]],
    )


class Document(Part):
    """The standard that ECR Warden keeps a registry to."""

    version: Version = Field(description="The version of the policy's language.", examples=[1])
    preset: Preset = Field(
        NOT_WRITTEN,
        description="What the defaults are where they are not written. baseline: what suits most registries. strict: "
        "milder findings, weekly scans, and tags that are put back.",
        examples=["baseline"],
    )
    mode: Mode = Field(
        NOT_WRITTEN,
        description="report: say what would be changed, and change nothing. enforce: bring repositories to the "
        "standard. off: look at nothing. A section may have its own.",
        examples=["report"],
    )
    defaults: Defaults = Field(description="What is asked of every repository.", examples=[{"channels": ["platform"]}])
    rules: list[Rule] = Field(
        NOT_WRITTEN, description="What is asked of some repositories, by name; later wins, field by field."
    )
    exemptions: list[Exemption] = Field(NOT_WRITTEN, description="Findings that are accepted until a day.")
    owners: list[Owner] = Field(
        NOT_WRITTEN,
        description="Who is told of an image by what its labels say, the first that matches. Whoever builds an image "
        "writes its labels: they choose among these channels only.",
    )
    overrides: Overrides = Field(NOT_WRITTEN, description="What repositories may choose by their own tags.")
    inventory: Inventory = Field(NOT_WRITTEN, description="Who is asked what is in use.")
    creation_templates: list[Prefix] = Field(
        NOT_WRITTEN,
        description="Prefixes for which ECR makes repositories to these defaults when it makes them by itself (on "
        "push, by replication, as a cache); ROOT for any. What a section in report mode asks is left out.",
        examples=[["ROOT"]],
    )
    channels: dict[ChannelName, Channel] = Field(
        description="Where notices can go, by names of your choice.",
        examples=[{"platform": {"type": "slack", "secret": "warden/slack-platform"}}],
    )
