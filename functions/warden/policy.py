"""The policy, as functions know it, and the shape of a standard (`standards` makes one of the other).

`warden.yaml` is checked and compiled at synth; what reaches a function is right by then, so nothing is validated here.
A section is flattened to fields ("tags.immutability"); each field carries the place in the policy that it came from,
so that every action can name the rule that asked for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from warden.names import RepositoryName, Severity

FIX_WITHIN = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
"""The severities of which a policy can say within how many days they are to be fixed."""


class Mode(StrEnum):
    """What a section may do: change things, say what it would change, or nothing."""

    ENFORCE = "enforce"
    REPORT = "report"
    OFF = "off"


class Immutability(StrEnum):
    """What a standard may ask of tags, from the loosest to the strictest; a stricter setting than asked stays as it is.

    MUTABLE asks for nothing. In MUTABLE_WITH_EXCLUSION the patterns name the tags that may NOT move; in
    IMMUTABLE_WITH_EXCLUSION those that may.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """

    MUTABLE = "MUTABLE"
    MUTABLE_WITH_EXCLUSION = "MUTABLE_WITH_EXCLUSION"
    IMMUTABLE_WITH_EXCLUSION = "IMMUTABLE_WITH_EXCLUSION"
    IMMUTABLE = "IMMUTABLE"


class Moves(StrEnum):
    """What happens when a tag that should not move is found on another digest."""

    IGNORE = "ignore"
    TELL = "tell"
    PUT_BACK = "put_back"


class Encryption(StrEnum):
    """How a repository is encrypted: https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html."""

    AES256 = "AES256"
    KMS = "KMS"
    KMS_DSSE = "KMS_DSSE"


class LifecycleAction(StrEnum):
    """What happens to an image that a lifecycle rule takes: archived images can be restored, deleted ones can't."""

    ARCHIVE = "archive"
    DELETE = "delete"


class Per(StrEnum):
    """Of what a keep rule keeps the newest: of each tag line, or of each major or minor version, by version."""

    LINE = "line"
    MAJOR = "major"
    MINOR = "minor"


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """One rule of the standard: images `of` a kind ("untagged", "any" or a tag pattern) leave.

    Those pushed more than `after_days` ago, all but the newest `keep`, or those `not_pulled_days` days long: exactly
    one of the three is set. `per` makes a keep rule keep as many of each line or version. Where there is a `label`
    ("key=pattern"), only images leave that have it; the rule decides about all that its tags match all the same.
    """

    of: str
    after_days: int | None = None
    keep: int | None = None
    not_pulled_days: int | None = None
    per: Per | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class TagsStandard:
    """What is asked of image tags; `exclude` are ECR's exclusion filters for `immutability`."""

    mode: Mode
    immutability: Immutability
    exclude: tuple[str, ...]
    moves: Moves = Moves.TELL


@dataclass(frozen=True, slots=True)
class ScanningStandard:
    """What is asked of scanning."""

    mode: Mode
    on_push: bool
    rescan_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class FindingsStandard:
    """From which severity on findings are told, and from which they block.

    Findings that surely have no fix (`fixable_only`), surely no exploit (`exploited_only`), or surely a smaller
    probability of being exploited than `epss_from` and no known exploit, are left aside. `fix_within` says how many
    days a finding of a severity may stay.
    """

    notify_from: Severity
    block_from: Severity
    fixable_only: bool = False
    new_only: bool = False
    exploited_only: bool = False
    epss_from: float | None = None
    fix_within: Mapping[Severity, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Protection:
    """Images that no rule may take: those in use, and those with a tag of these patterns.

    An image counts as in use for `grace_days` after it was last seen so, and where `pulled_within_days` says so, for
    as long after its last pull.
    """

    in_use: bool
    tags: tuple[str, ...]
    grace_days: int = 7
    pulled_within_days: int | None = None


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that one plan may take from a repository; 0 means none, None that the author set no such cap."""

    percent: int | None = None
    images: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LifecycleStandard:
    """What is asked of the lifecycle; no rules ask for nothing.

    `wait_days` is how long an image is marked before it is deleted: ECR's own rules can't wait, so that all rules are
    then carried out by the warden. `delete_archived_days` is how long an archived image stays in the archive.
    """

    mode: Mode
    action: LifecycleAction
    rules: tuple[LifecycleRule, ...]
    protection: Protection = Protection(in_use=False, tags=())
    caps: Caps = Caps()
    wait_days: int | None = None
    delete_archived_days: int | None = None


@dataclass(frozen=True, slots=True)
class AccessStandard:
    """Who may be named in a repository's policy; `accounts` are those besides our own, None where any may."""

    mode: Mode
    forbid_public: bool
    accounts: tuple[str, ...] | None

    @property
    def asks(self) -> bool:
        """Whether the repository's policy has to be read at all."""
        return self.mode is not Mode.OFF and (self.forbid_public or self.accounts is not None)


@dataclass(frozen=True, slots=True)
class EncryptionStandard:
    """How repositories should be encrypted, None where any way will do; fixed when a repository is made."""

    mode: Mode
    type: Encryption | None


@dataclass(frozen=True, slots=True)
class RepositoryTagsStandard:
    """The keys of tags that a repository, the AWS resource, must have."""

    mode: Mode
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Promotion:
    """Where images with a tag of these patterns go once they pass.

    `to` is the release repository, in which `{name}` stands for the last part of the repository's own name. `rename`
    is the tag there, in which `{tag}` stands for the tag here. `region` is another one than the registry's own, `role`
    the ARN of a role in another account, by which is written there; both are empty where they are not asked for.
    """

    mode: Mode
    to: str
    tags: tuple[str, ...]
    rename: str = "{tag}"
    region: str = ""
    role: str = ""


class QuarantineBy(StrEnum):
    """How an image that blocks is kept from being deployed.

    Its tags are moved aside, so that deploys by tag fail; or nobody may pull from its repository, since ECR can't
    deny one image by itself.
    """

    TAGS = "tags"
    PULL = "pull"


@dataclass(frozen=True, slots=True)
class QuarantineStandard:
    """What happens to an image whose verdict is `block`; nothing where `by` is None.

    `break_glass` are ARNs of roles that may pull all the same. An image in use is left alone unless `in_use` says so.
    """

    mode: Mode
    by: QuarantineBy | None
    break_glass: tuple[str, ...] = ()
    in_use: bool = False

    @property
    def asks(self) -> bool:
        """Whether anything is to be done about an image that blocks, or to be said of it."""
        return self.by is not None and self.mode is not Mode.OFF


@dataclass(frozen=True, slots=True)
class EmptyStandard:
    """How old a repository without any image may become before it is told of, or deleted; None where that is open."""

    mode: Mode
    after_days: int | None

    @property
    def asks(self) -> bool:
        """Whether it has to be known at all if the repository has images."""
        return self.mode is not Mode.OFF and self.after_days is not None


@dataclass(frozen=True, slots=True)
class Standard:
    """What the policy asks of one repository, after every matching rule and the repository's own tags are applied.

    `origins` says for each field ("tags.exclude") where in the policy its value was written.
    """

    repository: RepositoryName
    tags: TagsStandard
    scanning: ScanningStandard
    findings: FindingsStandard
    lifecycle: LifecycleStandard
    access: AccessStandard
    encryption: EncryptionStandard
    repository_tags: RepositoryTagsStandard
    promotion: Promotion | None
    quarantine: QuarantineStandard
    empty: EmptyStandard
    channels: tuple[str, ...]
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field's value and the place in the policy that gave it."""

    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Match:
    """Which repositories a rule is for: those that every given part matches.

    `name` is a pattern with ECR's wildcard, `regex` a regular expression for the whole name, `tags` patterns for the
    values of the repository's tags, by key.
    """

    name: str = "*"
    regex: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """As it stands in an origin.

        >>> str(Match("team-a/*")), str(Match(tags={"team": "a*"}))
        ('team-a/*', 'team=a*')
        """
        parts = [self.name] if self.name != "*" or not (self.regex or self.tags) else []
        parts += [f"/{self.regex}/"] if self.regex else []
        return " ".join([*parts, *(f"{key}={pattern}" for key, pattern in sorted(self.tags.items()))])


@dataclass(frozen=True, slots=True)
class Rule:
    """Fields for the repositories that match."""

    match: Match
    fields: Mapping[str, Field]


class ChannelType(StrEnum):
    """The kinds of chat that a policy can name."""

    SLACK = "slack"
    TEAMS = "teams"
    DISCORD = "discord"
    GOOGLE_CHAT = "google_chat"
    SNS = "sns"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices go: the kind of chat, the name of the secret that holds its address, and further allowed hosts.

    A channel of type sns has a topic's ARN in place of the secret.
    """

    name: str
    type: ChannelType
    secret: str
    hosts: tuple[str, ...] = ()
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Exemption:
    """A finding accepted until the end of a day (ISO 8601, UTC) in the repositories that match."""

    cve: str
    repositories: tuple[str, ...]
    package: str | None
    until: str
    reason: str
    approved_by: str
    origin: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The channels of those whose images carry a label (`org.opencontainers.image.*`, say) that the pattern matches."""

    label: str
    value: str
    channels: tuple[str, ...]
    origin: str


class Source(StrEnum):
    """Who is asked what is in use."""

    ECS = "ecs"
    LAMBDA = "lambda"
    EKS = "eks"
    BATCH = "batch"
    APP_RUNNER = "app_runner"


@dataclass(frozen=True, slots=True)
class InventorySources:
    """Where images of this registry may run: who is asked, in which regions besides our own, in which other accounts.

    `roles` are ARNs of roles of other accounts, one an account; `functions` are names of Lambda functions of ours that
    answer for anything else.
    """

    sources: tuple[Source, ...] = (Source.ECS, Source.LAMBDA, Source.EKS)
    regions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole compiled policy; `fingerprint` is the short hash of what it says.

    `owners` are asked where no rule and no tag of the repository chose its channels; `open_channels` are the channels
    that a repository may choose by its own tag, `creation_templates` the prefixes for which ECR makes repositories to
    the defaults.
    """

    mode: Mode
    defaults: Mapping[str, Field]
    rules: tuple[Rule, ...]
    channels: Mapping[str, Channel]
    default_channels: tuple[str, ...]
    open_channels: tuple[str, ...]
    exemptions: tuple[Exemption, ...]
    creation_templates: tuple[str, ...]
    owners: tuple[Owner, ...]
    fingerprint: str
    inventory: InventorySources = InventorySources()

    def asks(self, name: str) -> bool:
        """Whether the field has a value for any repository: what nobody asks for need not be read."""
        return any(
            name in fields and fields[name].value is not None
            for fields in (self.defaults, *(rule.fields for rule in self.rules))
        )
