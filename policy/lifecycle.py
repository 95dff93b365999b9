"""How old images leave, as the policy's author writes it."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from policy.image_values import LabelSelection, Selection, TagPattern
from policy.parts import NOT_WRITTEN, Action, Mode, Part, PerWord
from policy.values import Bytes, Count, Days, DaysOfArchive, Number, Percent, Switch

_LABEL = "Only images leave that have a label with such a value, `key=pattern`; the rule decides about all the same."


class Expire(Part):
    """Images leave some time after they were pushed."""

    expire: Selection = Field(
        description="Which images leave: untagged, any, or those with a tag of this pattern.", examples=["untagged"]
    )
    after: Days = Field(description="How long after the push, in days or weeks.", examples=["7d", "2w"])
    label: LabelSelection = Field(NOT_WRITTEN, description=_LABEL, examples=["org.acme.ephemeral=true"])


class Idle(Part):
    """Images leave some time after they were last pulled, or after their push where nobody pulled them."""

    expire: Selection = Field(description="Which images leave.", examples=["any"])
    not_pulled_for: Days = Field(description="How long after the last pull.", examples=["180d"])
    label: LabelSelection = Field(NOT_WRITTEN, description=_LABEL, examples=["org.acme.ephemeral=true"])


class Keep(Part):
    """The newest images stay and the others leave."""

    keep: Count = Field(description="How many of the newest images stay.", examples=[30])
    of: Selection = Field(
        description="Which images are counted: untagged, any, or those with a tag of this pattern.", examples=["v*"]
    )
    per: PerWord = Field(
        NOT_WRITTEN,
        description="Keep as many of each tag line, of each major or of each minor version: the newest by version.",
        examples=["minor"],
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

    in_use: Switch = Field(
        NOT_WRITTEN,
        description="Those that something runs or may start: `inventory` says who is asked.",
        examples=[True],
    )
    tags: list[TagPattern] = Field(NOT_WRITTEN, description="Those with such a tag.", examples=[["prod-*"]])
    grace: Days = Field(
        NOT_WRITTEN, description="For how long an image counts as in use after it was last seen so.", examples=["7d"]
    )
    pulled_within: Days = Field(
        NOT_WRITTEN, description="Those that were pulled not longer ago than this.", examples=["30d"]
    )


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
    wait: Days = Field(
        NOT_WRITTEN,
        description="How long an image is marked before it is deleted; with `action: delete` alone. What is used again "
        "meanwhile stays.",
        examples=["7d"],
    )
    delete_archived_after: DaysOfArchive = Field(
        NOT_WRITTEN,
        description="How long an archived image can be restored, before ECR deletes it for good; 90 days at least.",
        examples=["180d"],
    )
