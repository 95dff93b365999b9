"""The policy as its author writes it: which keys there are, what each means, and how its value is written.

Whatever stands here stands in the JSON Schema that editors use (`warden schema`). A field that is not written is not
set: `model_fields_set` tells what the author said, and the built-in defaults stand in `policy.compiled`.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from policy.values import (
    ChannelName,
    ChannelType,
    Count,
    Days,
    Filter,
    Host,
    RepositoryPattern,
    SecretName,
    Selection,
    Switch,
    Version,
    read_word,
)
from warden import policy
from warden.names import Severity as Severities

LATER = frozenset(
    {"access", "caps", "exemptions", "fixable_only", "new_only", "not_pulled_for", "promote", "protect", "rescan_after"}
)
"""Keys that the language will have and this version does not know: silence about them would be a false promise."""

NOT_WRITTEN: Any = None

Mode = Annotated[policy.Mode, BeforeValidator(lambda value: read_word(value, policy.Mode))]
Immutability = Annotated[policy.Immutability, BeforeValidator(lambda value: read_word(value, policy.Immutability))]
Action = Annotated[policy.LifecycleAction, BeforeValidator(lambda value: read_word(value, policy.LifecycleAction))]
Severity = Annotated[Severities, BeforeValidator(lambda value: read_word(value, Severities))]


class Part(BaseModel):
    """A mapping of the file: it knows its keys and takes no other."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=True)


class Tags(Part):
    """Which tags may move. https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html."""

    mode: Mode = Field(NOT_WRITTEN, description="What may be done about tag immutability; the policy's mode otherwise.")
    immutability: Immutability = Field(
        NOT_WRITTEN,
        description="IMMUTABLE: no tag moves. IMMUTABLE_WITH_EXCLUSION: only the tags in `exclude` may. "
        "MUTABLE: nothing is asked, and a stricter setting stays as it is.",
        examples=["IMMUTABLE_WITH_EXCLUSION"],
    )
    exclude: list[Filter] = Field(
        NOT_WRITTEN,
        description="Patterns of tags that may move: at most 4, since `sha256-*`, which signing tools write, is always "
        "added and ECR takes 5.",
        examples=[["latest", "dev-*"]],
    )


class Scanning(Part):
    """When images are scanned. https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html."""

    mode: Mode = Field(NOT_WRITTEN, description="What may be done about scan settings; the policy's mode otherwise.")
    on_push: Switch = Field(NOT_WRITTEN, description="Whether every pushed image is scanned.", examples=[True])


class Findings(Part):
    """What is told of a scan's findings, and what the verdict is."""

    notify_from: Severity = Field(
        NOT_WRITTEN, description="Findings of this severity or worse are told.", examples=["HIGH"]
    )
    block_from: Severity = Field(
        NOT_WRITTEN,
        description="Findings of this severity or worse make the verdict `block`; no milder than `notify_from`.",
        examples=["CRITICAL"],
    )


class Expire(Part):
    """Images leave some time after they were pushed."""

    expire: Selection = Field(
        description="Which images leave: untagged, any, or those with a tag of this pattern.", examples=["untagged"]
    )
    after: Days = Field(description="How long after the push, in days or weeks.", examples=["7d", "2w"])


class Keep(Part):
    """The newest images stay and the others leave."""

    keep: Count = Field(description="How many of the newest images stay.", examples=[30])
    of: Selection = Field(
        description="Which images are counted: untagged, any, or those with a tag of this pattern.", examples=["v*"]
    )


def _kind_of_rule(value: Any) -> str | None:
    if not isinstance(value, dict) or ("expire" in value) == ("keep" in value):
        return None
    return "expire rule" if "expire" in value else "keep rule"


LifecycleRule = Annotated[
    Annotated[Expire, Tag("expire rule")] | Annotated[Keep, Tag("keep rule")],
    Discriminator(
        _kind_of_rule,
        custom_error_type="kind_of_rule",
        custom_error_message="neither kind of rule",
    ),
]


class Lifecycle(Part):
    """How old images leave. https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html."""

    mode: Mode = Field(
        NOT_WRITTEN,
        description="What may be done about the lifecycle policy. Images leave only where this very key says enforce: "
        "the policy's own mode never makes it so.",
    )
    action: Action = Field(
        NOT_WRITTEN,
        description="archive: images that leave can be restored, and ECR charges for at least 90 days of archive. "
        "delete: they can't.",
        examples=["archive"],
    )
    rules: list[LifecycleRule] = Field(
        NOT_WRITTEN,
        description="In order of priority: the first rule that an image's tags match decides about it. A rule on any "
        "image stands last.",
        examples=[[{"expire": "untagged", "after": "7d"}, {"keep": 30, "of": "v*"}]],
    )


class Sections(Part):
    """What can be asked of a repository."""

    tags: Tags = Field(NOT_WRITTEN, description="Which tags may move.")
    scanning: Scanning = Field(NOT_WRITTEN, description="When images are scanned.")
    findings: Findings = Field(NOT_WRITTEN, description="What is told of findings.")
    lifecycle: Lifecycle = Field(NOT_WRITTEN, description="How old images leave.")
    channels: list[ChannelName] = Field(
        NOT_WRITTEN,
        description="Where notices about the repository go: names from `channels`.",
        examples=[["platform"]],
    )


class Defaults(Sections):
    """What is asked of every repository, unless a rule says otherwise."""

    channels: list[ChannelName] = Field(
        description="Where notices go unless a rule says otherwise, and those about the whole registry.",
        examples=[["platform"]],
    )


class Rule(Sections):
    """What is asked of the repositories whose name matches, in place of the defaults, field by field."""

    match: RepositoryPattern = Field(
        description="Which repositories: the whole name, where * stands for any characters, slashes included. Every "
        "matching rule applies, in the file's order; later wins, field by field.",
        examples=["team-a/*"],
    )


class Channel(Part):
    """Where notices go."""

    type: ChannelType = Field(description="The kind of chat.", examples=["slack"])
    secret: SecretName = Field(
        description="The name of the secret, in Secrets Manager, that holds the channel's webhook URL; never the URL.",
        examples=["warden/slack-platform"],
    )
    hosts: list[Host] = Field(
        NOT_WRITTEN,
        description="Hosts that the URL may have besides the chat's own; for a relay of your own.",
        examples=[["hooks.example.com"]],
    )


class Document(Part):
    """The standard that ECR Warden keeps a registry to."""

    version: Version = Field(description="The version of the policy's language.", examples=[1])
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
    channels: dict[ChannelName, Channel] = Field(
        description="Where notices can go, by names of your choice.",
        examples=[{"platform": {"type": "slack", "secret": "warden/slack-platform"}}],
    )
