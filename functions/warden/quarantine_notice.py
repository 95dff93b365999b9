"""What the warden says of images in quarantine: who pulls now gets what, and what can be done about it."""

from dataclasses import dataclass
from datetime import datetime

from warden import console
from warden.events import Home
from warden.names import ImageId, RepositoryName, Tag, short
from warden.notices import Fact, Level, Line, Notice, Section, bold, code, link, notice_id, plain
from warden.policy import QuarantineBy
from warden.text import clean

LONGEST = 300
MOST_TAGS = 10
_REASON = "--reason TEXT"


@dataclass(frozen=True, slots=True)
class News:
    """What there is to tell of one image.

    `event` is the message that led to it; `tags` are those that it has when it is in no quarantine, `moved` pairs of
    those that were moved aside or back and what stands, or stood, for them. `by` is the person who ordered it, if one
    did; `remark` is what else there is to say.
    """

    image: ImageId
    event: str
    at: datetime
    how: QuarantineBy | None
    tags: tuple[Tag, ...]
    why: str
    rule: str
    by: str = ""
    moved: tuple[tuple[Tag, Tag], ...] = ()
    kept: tuple[tuple[Tag, Tag], ...] = ()
    remark: str = ""

    @property
    def name(self) -> str:
        """What people call the image."""
        if not self.tags:
            return f"{self.image.repository}@{short(self.image.digest)}"
        tag = min(self.tags, key=lambda tag: (tag == "latest", tag))
        return clean(f"{self.image.repository}:{tag}", LONGEST)


def quarantined(news: News, home: Home, *, again: bool = False) -> Notice:
    """An image was put in quarantine; or `again`, since somebody has undone part of it."""
    title = f"{news.name} is in quarantine" + (" again" if again else "")
    return _notice(
        news, home, "quarantined", Level.ATTENTION, title, _effect(news), _moved(news, back=False), _ways(news)
    )


def released(news: News, home: Home) -> Notice:
    """An image was released."""
    if news.how is QuarantineBy.PULL:
        summary: Line = (
            plain("It does not keep pulls from "),
            code(news.image.repository),
            plain(" denied any more."),
        )
    elif news.moved:
        again = "those of its tags again that no other image has by now" if news.kept else "its tags again"
        summary = (plain(f"It has {again}."),)
    else:
        summary = (plain("It was taken out of quarantine."),)
    step: Line = ()
    if news.kept:
        step = (plain("Another image has a tag that this one had: it was not moved. Push this one under a new tag."),)
    title = f"{news.name} is released from quarantine"
    return _notice(news, home, "released", Level.CHANGE, title, summary, _moved(news, back=True), step)


def would_be(news: News, home: Home, *, release: bool) -> Notice:
    """What would be done, were the policy not in report mode."""
    title = f"{news.name} would be " + ("released from quarantine" if release else "put in quarantine")
    summary: Line = (bold("Nothing was changed"), plain(": the policy's quarantine.mode is report here."))
    step: Line = (plain("Right as planned? Set "), code("quarantine: {mode: enforce}"), plain(" for this repository."))
    return _notice(news, home, "would be", Level.CHANGE, title, summary, _moved(news, back=release), step)


def refused(news: News, home: Home, *, release: bool) -> Notice:
    """It should be done, and was not: a person must look."""
    title = f"{news.name} was not " + ("released from quarantine" if release else "put in quarantine")
    summary: Line = (bold("Refused"), plain(f": {clean(news.why, LONGEST)}."))
    if release:
        step: Line = (plain("Mend the cause, and release it again: "), code(_command(news.image)))
    else:
        step = (
            plain(
                "It can be pulled still, though it blocks. Build it anew without what was found, and deploy that; or "
            ),
            plain("exempt what was found. It is looked at again with each sweep."),
        )
    return _notice(news, home, "refused", Level.ATTENTION, title, summary, (), step)


def stays(news: News, home: Home) -> Notice:
    """Its verdict is better now, and it stays where it is."""
    title = f"{news.name} stays in quarantine"
    summary: Line = (plain(f"{clean(news.remark, LONGEST)}; "), plain(f"{clean(news.why, LONGEST)}."))
    step: Line = (plain("To release it: "), code(_command(news.image)))
    return _notice(news, home, "stays", Level.CHANGE, title, summary, (), step)


def _notice(
    news: News,
    home: Home,
    what: str,
    level: Level,
    title: str,
    summary: Line,
    sections: tuple[Section, ...],
    next_step: Line,
) -> Notice:
    facts = (
        Fact("Why", "" if what in {"refused", "stays"} else clean(news.why, LONGEST)),
        Fact("By", clean(news.by, LONGEST) if news.by else ""),
        Fact("Note", "" if what == "stays" else clean(news.remark, LONGEST)),
        Fact("Digest", short(news.image.digest)),
        Fact("Rule", news.rule),
    )
    return Notice(
        id=notice_id(news.event, str(news.image), what),
        kind="quarantine",
        level=level,
        title=title,
        subject=str(news.image),
        summary=summary,
        sections=sections,
        facts=tuple(fact for fact in facts if fact.value),
        next_step=next_step,
        links=(link("Open in ECR", console.image_page(home, news.image)),),
        footer=console.footer(home, str(news.image)),
        thread=str(news.image),
        at=news.at.isoformat(),
    )


def _effect(news: News) -> Line:
    """What who pulls now gets."""
    running: Line = (bold("What runs keeps running"), plain(", and the image is kept."))
    if news.how is QuarantineBy.PULL:
        return (
            plain("ECR can't deny a single image: pulls from "),
            code(news.image.repository),
            plain(" are denied to everybody but the roles in quarantine.break_glass. Who pulls gets "),
            code("AccessDeniedException: … with an explicit deny in a resource-based policy"),
            plain(". "),
            *running,
        )
    return (
        plain("Who pulls it by its tag gets "),
        code("manifest unknown: Requested image not found"),
        plain("; its digest still works, for forensics. "),
        *running,
    )


def _ways(news: News) -> Line:
    step: Line = (
        plain("Build it anew without what was found, and push that. Needed all the same? Exempt what was found in "),
        code("warden.yaml"),
        plain(", or release it: "),
        code(_command(news.image)),
    )
    return (plain("A person only can release it: "), code(_command(news.image))) if news.by else step


def _command(image: ImageId) -> str:
    return f"warden release {image} {_REASON}"


def _moved(news: News, *, back: bool) -> tuple[Section, ...]:
    pairs = [((aside, tag) if back else (tag, aside)) for tag, aside in news.moved]
    lines: list[Line] = [_arrow(*pair) for pair in pairs]
    lines += [
        (code(clean(aside, LONGEST)), plain(f" · {_taken(tag, news.image.repository)}")) for tag, aside in news.kept
    ]
    if not lines:
        return ()
    return (Section("Tags", tuple(lines[:MOST_TAGS]), more=max(0, len(lines) - MOST_TAGS)),)


def _arrow(before: Tag, after: Tag) -> Line:
    return code(clean(before, LONGEST)), plain(" → "), code(clean(after, LONGEST))


def _taken(tag: Tag, repository: RepositoryName) -> str:
    return f"another image of {repository} is tagged {clean(tag, LONGEST)} by now"
