"""The policy as its author writes it: which keys there are, what each means, and how its value is written.

Whatever stands here stands in the JSON Schema that editors use (`warden schema`). A field that is not written is not
set: `model_fields_set` tells what the author said, and the built-in defaults stand in `policy.compiled`.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from policy.values import (
    Account,
    Bytes,
    ChannelName,
    Count,
    Day,
    Days,
    Filter,
    Host,
    Label,
    LabelPattern,
    Number,
    Percent,
    Prefix,
    Probability,
    Regex,
    RepositoryPattern,
    SecretName,
    Selection,
    Switch,
    TagKey,
    TagPattern,
    TagValuePattern,
    Target,
    Topic,
    Version,
    Vulnerability,
    Words,
    read_word,
)
from warden import policy
from warden.names import Severity as Severities

UNHEEDED = {
    "lifecycle.caps.bytes": "caps",
    "lifecycle.caps.images": "caps",
    "lifecycle.caps.percent": "caps",
    "lifecycle.protect.in_use": "protect",
    "lifecycle.protect.tags": "protect",
    "promote.tags": "promote",
    "promote.to": "promote",
    "scanning.rescan_after": "rescan_after",
}
"""Fields that are checked, kept and shown, and that no function of this version acts on; `warden validate` says so."""

NOT_WRITTEN: Any = None


class Presets(StrEnum):
    """The defaults that can be had by one word."""

    BASELINE = "baseline"
    STRICT = "strict"


Preset = Annotated[Presets, BeforeValidator(lambda value: read_word(value, Presets))]
Mode = Annotated[policy.Mode, BeforeValidator(lambda value: read_word(value, policy.Mode))]
Immutability = Annotated[policy.Immutability, BeforeValidator(lambda value: read_word(value, policy.Immutability))]
Action = Annotated[policy.LifecycleAction, BeforeValidator(lambda value: read_word(value, policy.LifecycleAction))]
Moves = Annotated[policy.Moves, BeforeValidator(lambda value: read_word(value, policy.Moves))]
EncryptionType = Annotated[policy.Encryption, BeforeValidator(lambda value: read_word(value, policy.Encryption))]
ChannelType = Annotated[policy.ChannelType, BeforeValidator(lambda value: read_word(value, policy.ChannelType))]
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
        "MUTABLE_WITH_EXCLUSION: the tags in `exclude` may not, others may. MUTABLE: nothing is asked. A stricter "
        "setting than asked stays as it is.",
        examples=["IMMUTABLE_WITH_EXCLUSION"],
    )
    exclude: list[Filter] = Field(
        NOT_WRITTEN,
        description="Patterns of tags that may move: at most 4, since `sha256-*`, which signing tools write, is always "
        "added and ECR takes 5. With MUTABLE_WITH_EXCLUSION: patterns of tags that may not.",
        examples=[["latest", "dev-*"]],
    )
    moves: Moves = Field(
        NOT_WRITTEN,
        description="What happens when a tag that may not move is found on another image: ignore, tell, or put_back "
        "(where the mode is enforce; the new image is kept under a tag of its own).",
        examples=["tell"],
    )


class Scanning(Part):
    """When images are scanned. https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html."""

    mode: Mode = Field(NOT_WRITTEN, description="What may be done about scan settings; the policy's mode otherwise.")
    on_push: Switch = Field(NOT_WRITTEN, description="Whether every pushed image is scanned.", examples=[True])
    rescan_after: Days = Field(NOT_WRITTEN, description="How old a scan may become.", examples=["7d"])


class FixWithin(Part):
    """How long a finding may stay from the day on which it was first known in the tag line."""

    CRITICAL: Days = Field(NOT_WRITTEN, description="Critical findings.", examples=["7d"])
    HIGH: Days = Field(NOT_WRITTEN, description="High findings.", examples=["30d"])
    MEDIUM: Days = Field(NOT_WRITTEN, description="Medium findings.", examples=["90d"])
    LOW: Days = Field(NOT_WRITTEN, description="Low findings.", examples=["180d"])


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
    fixable_only: Switch = Field(
        NOT_WRITTEN, description="Leave findings aside that surely have no fix.", examples=[False]
    )
    exploited_only: Switch = Field(
        NOT_WRITTEN,
        description="Leave findings aside of which surely no exploit is known; basic scanning does not say.",
        examples=[False],
    )
    epss_from: Probability = Field(
        NOT_WRITTEN,
        description="Leave findings aside whose EPSS, the probability of being exploited within 30 days, is surely "
        "smaller, unless an exploit is known. Only enhanced scanning gives it.",
        examples=["10%"],
    )
    new_only: Switch = Field(
        NOT_WRITTEN,
        description="Tell only findings that the image before it in its tag line did not have, and later those that "
        "were not known of the image.",
        examples=[True],
    )
    fix_within: FixWithin = Field(
        NOT_WRITTEN, description="How long a finding may stay, by severity.", examples=[{"CRITICAL": "7d"}]
    )


class Expire(Part):
    """Images leave some time after they were pushed."""

    expire: Selection = Field(
        description="Which images leave: untagged, any, or those with a tag of this pattern.", examples=["untagged"]
    )
    after: Days = Field(description="How long after the push, in days or weeks.", examples=["7d", "2w"])


class Idle(Part):
    """Images leave some time after they were last pulled. ECR has no such rule."""

    expire: Selection = Field(description="Which images leave.", examples=["any"])
    not_pulled_for: Days = Field(description="How long after the last pull.", examples=["180d"])


class Keep(Part):
    """The newest images stay and the others leave."""

    keep: Count = Field(description="How many of the newest images stay.", examples=[30])
    of: Selection = Field(
        description="Which images are counted: untagged, any, or those with a tag of this pattern.", examples=["v*"]
    )


def _kind_of_rule(value: Any) -> str | None:
    if not isinstance(value, dict) or ("expire" in value) == ("keep" in value):
        return None
    if "keep" in value:
        return "keep rule"
    return "idle rule" if "not_pulled_for" in value else "expire rule"


LifecycleRule = Annotated[
    Annotated[Expire, Tag("expire rule")] | Annotated[Idle, Tag("idle rule")] | Annotated[Keep, Tag("keep rule")],
    Discriminator(
        _kind_of_rule,
        custom_error_type="kind_of_rule",
        custom_error_message="neither kind of rule",
    ),
]


class Protect(Part):
    """Images that no rule may take."""

    in_use: Switch = Field(NOT_WRITTEN, description="Those that something runs.", examples=[True])
    tags: list[TagPattern] = Field(NOT_WRITTEN, description="Those with such a tag.", examples=[["prod-*"]])


class Caps(Part):
    """The most that may leave a repository at a time; 0 means none."""

    percent: Percent = Field(NOT_WRITTEN, description="Of its images, in percent.", examples=[25])
    images: Number = Field(NOT_WRITTEN, description="In images.", examples=[500])
    bytes: Bytes = Field(NOT_WRITTEN, description="In size.", examples=["50 GB"])


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

    protect: Protect = Field(NOT_WRITTEN, description="What is spared, whatever the rules say.")
    caps: Caps = Field(NOT_WRITTEN, description="The most that may leave at a time.")


class Access(Part):
    """Who may use a repository. https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html."""

    mode: Mode = Field(
        NOT_WRITTEN,
        description="What may be done about repository policies. Principals are taken out only where this very key "
        "says enforce: the policy's own mode never makes it so.",
    )
    forbid_public: Switch = Field(
        NOT_WRITTEN, description="Whether a policy that lets everybody in is off the standard.", examples=[True]
    )
    accounts: list[Account] = Field(
        NOT_WRITTEN,
        description="The accounts that may be let in besides the registry's own; any where this is not written.",
        examples=[["111122223333"]],
    )


class Encryption(Part):
    """How repositories are encrypted: told, never changed, since ECR fixes it when a repository is made."""

    mode: Mode = Field(NOT_WRITTEN, description="off: say nothing of it; the policy's mode otherwise.")
    type: EncryptionType = Field(NOT_WRITTEN, description="What is asked; better is fine.", examples=["KMS"])


class RepositoryTags(Part):
    """Which tags every repository must have: told, never changed, since only people know the values."""

    mode: Mode = Field(NOT_WRITTEN, description="off: say nothing of it; the policy's mode otherwise.")
    required: list[TagKey] = Field(NOT_WRITTEN, description="The tags' keys.", examples=[["owner"]])


class Promote(Part):
    """Where images go that pass."""

    to: Target = Field(
        description="The release repository; {name} is the last part of the name.", examples=["release/{name}"]
    )
    tags: list[Selection] = Field(description="Which tags are promoted.", examples=[["v*"]])


class Sections(Part):
    """What can be asked of a repository."""

    tags: Tags = Field(NOT_WRITTEN, description="Which tags may move.")
    scanning: Scanning = Field(NOT_WRITTEN, description="When images are scanned.")
    findings: Findings = Field(NOT_WRITTEN, description="What is told of findings.")
    lifecycle: Lifecycle = Field(NOT_WRITTEN, description="How old images leave.")
    access: Access = Field(NOT_WRITTEN, description="Who may use it.")
    encryption: Encryption = Field(NOT_WRITTEN, description="How it is encrypted.")
    repository_tags: RepositoryTags = Field(NOT_WRITTEN, description="Which tags the repository itself must have.")
    promote: Promote = Field(NOT_WRITTEN, description="Where images are copied to once they pass.")
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
