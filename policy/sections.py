"""What can be asked of a repository, as the policy's author writes it: the sections of the defaults and of a rule."""

from pydantic import Field

from policy.address_values import Account, ChannelName, Region, Role
from policy.image_values import Filter, TagPattern, TagTemplate
from policy.lifecycle import Lifecycle
from policy.parts import NOT_WRITTEN, EncryptionType, Immutability, Mode, Moves, Part, QuarantineWord, Severity
from policy.repository_values import TagKey, Target
from policy.values import Days, DaysEmpty, Probability, Switch


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

    mode: Mode = Field(NOT_WRITTEN, description="What may be done about promotion; the policy's mode otherwise.")
    to: Target = Field(
        NOT_WRITTEN,
        description="The release repository; {name} is the last part of the name.",
        examples=["release/{name}"],
    )
    tags: list[TagPattern] = Field(NOT_WRITTEN, description="Which tags are promoted.", examples=[["v*"]])
    rename: TagTemplate = Field(
        NOT_WRITTEN, description="The tag there; {tag} is the tag here.", examples=["{tag}-checked"]
    )
    region: Region = Field(
        NOT_WRITTEN, description="The region of the release repository, where it is another.", examples=["eu-west-1"]
    )
    role: Role = Field(
        NOT_WRITTEN,
        description="The role by which is written to the release repository, where that is in another account.",
        examples=["arn:aws:iam::444455556666:role/ecr-warden-promotion"],
    )


class Quarantine(Part):
    """What happens to an image whose verdict is `block`."""

    mode: Mode = Field(
        NOT_WRITTEN,
        description="What may be done about images that block. They are put in quarantine only where this very key "
        "says enforce: the policy's own mode never makes it so.",
    )
    by: QuarantineWord = Field(
        NOT_WRITTEN,
        description="tags: each tag is moved aside to quarantine.<tag>, so that deploys by tag fail. pull: nobody may "
        "pull from the repository but the roles in `break_glass`.",
        examples=["tags"],
    )
    break_glass: list[Role] = Field(
        NOT_WRITTEN,
        description="Roles that may pull all the same.",
        examples=[["arn:aws:iam::111122223333:role/forensics"]],
    )
    in_use: Switch = Field(
        NOT_WRITTEN,
        description="Whether images in use are put in quarantine, too; only a rule for one repository, by its whole "
        "name, can say so.",
        examples=[False],
    )


class Empty(Part):
    """Repositories that nobody needs: without any image, without a pull, and old."""

    mode: Mode = Field(
        NOT_WRITTEN,
        description="What may be done about empty repositories. They are deleted only where this very key says "
        "enforce, and never by force: the policy's own mode never makes it so.",
    )
    after: DaysEmpty = Field(
        NOT_WRITTEN, description="How old an empty repository may become; 7d at least.", examples=["90d"]
    )


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
    quarantine: Quarantine = Field(NOT_WRITTEN, description="What happens to images that block.")
    empty: Empty = Field(NOT_WRITTEN, description="How old empty repositories may become.")
    channels: list[ChannelName] = Field(
        NOT_WRITTEN,
        description="Where notices about the repository go: names from `channels`.",
        examples=[["platform"]],
    )
