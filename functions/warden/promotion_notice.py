"""What the warden says of promotions: what was released, what would be, and what a person has to look at."""

from dataclasses import dataclass
from datetime import datetime

from warden import console
from warden.events import Home
from warden.names import ImageId, Tag, short
from warden.notices import Fact, Level, Line, Notice, Section, bold, code, link, notice_id, plain
from warden.policy import Mode
from warden.promotion import Plan, Tagging
from warden.text import clean, size

LONGEST = 300
LONGEST_WHY = 500
LONGEST_TAG = 80
MOST_TAGS = 10


@dataclass(frozen=True, slots=True)
class Moved:
    """What was sent for one promotion; `mounted` layers were taken over from the source without being sent.

    `about` counts the manifests that are about the image, such as signatures. `taken` are tags of these that something
    else has at the target, `left` counts images that are said to be about this one and were left out.
    """

    bytes: int
    layers: int
    mounted: int
    about: int = 0
    taken: tuple[Tag, ...] = ()
    left: int = 0

    def __str__(self) -> str:
        """In words.

        >>> str(Moved(bytes=314_572_800, layers=3, mounted=0))
        '3 layers, 315 MB'
        >>> str(Moved(bytes=0, layers=0, mounted=2))
        'no layer was sent, 2 were mounted'
        """
        mounted = f", {self.mounted} {'was' if self.mounted == 1 else 'were'} mounted" if self.mounted else ""
        if not self.layers:
            return f"no layer was sent{mounted}"
        return f"{self.layers} layer{'' if self.layers == 1 else 's'}, {size(self.bytes)}{mounted}"


@dataclass(frozen=True, slots=True)
class Told:
    """What led to a promotion: the message's id and time, and the person who asked for it, if one did."""

    event: str
    at: datetime
    by: str = ""
    reason: str = ""


def promoted(plan: Plan, moved: Moved, told: Told, home: Home) -> Notice:
    """An image is in its release repository."""
    elsewhere: Line = () if plan.target.is_at(home) else (plain(" in "), code(plan.target.where(home)))
    summary: Line = (
        code(_there(plan)),
        *elsewhere,
        plain(" is "),
        bold("the same image, digest for digest"),
        plain("."),
    )
    remarks = (
        *((f"{moved.about} signatures, SBOMs or attestations went along",) if moved.about else ()),
        *((f"left as they are there: {_few(moved.taken)}",) if moved.taken else ()),
        *(
            (f"{moved.left} left out, said to be about it: images that can run and have no verdict of their own",)
            if moved.left
            else ()
        ),
    )
    return _notice(
        plan.image,
        told,
        home,
        "promoted",
        level=Level.CHANGE,
        title=f"{_name(plan)} was promoted to {plan.target.repository}",
        summary=summary,
        sections=_tags(plan),
        facts=(
            Fact("From", plan.image.repository),
            Fact("To", plan.target.shown(home)),
            Fact("Sent", str(moved)),
            Fact("Note", "; ".join(remarks)),
            Fact("Rule", plan.rule),
        ),
        next_step=(plain("Deploy it by its digest: what passed is what runs then. "), code(plan.image.digest)),
        page=plan.at_target if plan.target.is_at(home) else None,
    )


def would_be(plan: Plan, told: Told, home: Home) -> Notice:
    """An image would be promoted, were the policy not in report mode."""
    return _notice(
        plan.image,
        told,
        home,
        "would be promoted",
        level=Level.CHANGE,
        title=f"{_name(plan)} would be promoted to {plan.target.repository}",
        summary=(bold("Nothing was changed"), plain(": the policy's promote.mode is report here.")),
        sections=_tags(plan),
        facts=(
            Fact("From", plan.image.repository),
            Fact("To", plan.target.shown(home)),
            Fact("Rule", plan.rule),
        ),
        next_step=(
            plain("Right as planned? Set "),
            code(f"promote: {{mode: {Mode.ENFORCE}}}"),
            plain(" for this repository."),
        ),
    )


def refused(image: ImageId, plan: Plan | None, why: str, told: Told, home: Home) -> Notice:
    """An image should be promoted and was not: a person must look."""
    name = _name(plan) if plan else f"{image.repository}@{short(image.digest)}"
    to = f" to {plan.target.repository}" if plan else ""
    return _notice(
        image,
        told,
        home,
        f"refused {why}",
        level=Level.ATTENTION,
        title=f"{name} was not promoted{to}",
        summary=(bold("Refused"), plain(f": {clean(why, LONGEST_WHY)}.")),
        facts=(
            Fact("From", image.repository),
            Fact("To", plan.target.shown(home) if plan else ""),
            Fact("Rule", plan.rule if plan else ""),
        ),
        next_step=(
            plain("The image itself is as it was. Mend the cause, and have it promoted again: "),
            code(f"warden promote {image} --reason TEXT"),
        ),
    )


def _notice(
    image: ImageId,
    told: Told,
    home: Home,
    what: str,
    *,
    level: Level,
    title: str,
    summary: Line,
    facts: tuple[Fact, ...],
    next_step: Line,
    sections: tuple[Section, ...] = (),
    page: ImageId | None = None,
) -> Notice:
    asked = (
        Fact("Digest", short(image.digest)),
        Fact("By", clean(told.by, LONGEST) if told.by else ""),
        Fact("Reason", clean(told.reason, LONGEST) if told.reason else ""),
    )
    return Notice(
        id=notice_id(told.event, str(image), what),
        kind="promotion",
        level=level,
        title=clean(title, LONGEST),
        subject=str(image),
        summary=summary,
        sections=sections,
        facts=tuple(fact for fact in (*facts, *asked) if fact.value),
        next_step=next_step,
        links=(link("Open in ECR", console.image_page(home, page or image)),),
        footer=console.footer(home, str(image)),
        thread=str(image),
        at=told.at.isoformat(),
    )


def _tags(plan: Plan) -> tuple[Section, ...]:
    """What each tag is called there; nothing where each keeps its name."""
    if all(tagging.here == tagging.there for tagging in plan.tags) and len(plan.tags) == 1:
        return ()
    lines = tuple(map(_tag_line, plan.tags[:MOST_TAGS]))
    return (Section("Tags", lines, more=max(0, len(plan.tags) - MOST_TAGS)),)


def _tag_line(tagging: Tagging) -> Line:
    here = code(clean(tagging.here, LONGEST_TAG))
    if tagging.here == tagging.there:
        return (here,)
    return (here, plain(" → "), code(clean(tagging.there, LONGEST_TAG)))


def _name(plan: Plan) -> str:
    tag = min((tagging.here for tagging in plan.tags), key=lambda tag: (tag == "latest", tag))
    return f"{plan.image.repository}:{clean(tag, LONGEST_TAG)}"


def _there(plan: Plan) -> str:
    tag = min(plan.tags_there, key=lambda tag: (tag == "latest", tag))
    return f"{plan.target.repository}:{clean(tag, LONGEST_TAG)}"


def _few(tags: tuple[Tag, ...]) -> str:
    more = f" and {len(tags) - 3} more" if len(tags) > 3 else ""  # noqa: PLR2004 - as many as are named
    return ", ".join(clean(tag, LONGEST_TAG) for tag in tags[:3]) + more
