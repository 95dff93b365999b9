"""What the warden says of one repository that had left its standard."""

from collections.abc import Collection, Mapping

from warden import console
from warden.actions import ActionKind, Deed, Result
from warden.events import Home, RepositoryChanged
from warden.notices import Fact, Level, Line, Notice, Section, bold, code, link, notice_id, plain


def drift(event: RepositoryChanged, deeds: tuple[Deed, ...], home: Home) -> Notice | None:
    """The notice of one repository that had left its standard; None where nothing is news.

    News is what was done, and what this change made differ: a difference that stood before is the sweep's to tell. A
    repository that was only just made and took its standard is none: nobody changed anything.
    """
    if event.call == "CreateRepository" and all(deed.result in {Result.DONE, Result.REPORTED} for deed in deeds):
        return None
    deeds = tuple(deed for deed in deeds if deed.result in _DEEDS or deed.action.kind in _touched(event.call))
    if not deeds:
        return None
    results = {deed.result for deed in deeds}
    if results & {Result.BLOCKED, Result.REFUSED}:
        level, title = Level.ATTENTION, f"settings of {event.repository} need a person"
        next_step = "See the reason above: the warden can't bring this repository to its standard by itself."
    elif Result.DONE in results:
        level, title = Level.CHANGE, f"settings of {event.repository} were set back"
        next_step = "Changed on purpose? Write it in the policy for this repository, or it is set back each time."
    else:
        level, title = Level.CHANGE, f"{event.repository} leaves its standard"
        next_step = "Nothing was changed: the policy is in report mode here. Enforce it to have this set back."
    # What only a person can mend is told once, whatever else is changed meanwhile.
    news = "" if results == {Result.BLOCKED} else event.id
    return Notice(
        id=notice_id(news, event.repository, *map(str, deeds)),
        kind="drift",
        level=level,
        title=title,
        subject=event.repository,
        summary=(bold(event.call), plain(" by "), code(event.actor)),
        sections=(Section("Settings", tuple(map(_deed_line, deeds))),),
        facts=(
            Fact("Repository", event.repository),
            Fact("Rule", ", ".join(sorted({deed.action.origin for deed in deeds}))),
        ),
        next_step=(plain(next_step),),
        links=(link("Open in ECR", console.repository_page(home, event.repository)),),
        footer=console.footer(home, event.repository),
        at=event.at.isoformat(),
    )


def _touched(call: str) -> Collection[ActionKind]:
    """What a call can make differ: any part of the standard where it makes the repository, or tags it."""
    return _TOUCHED.get(call, tuple(ActionKind))


_DEEDS = frozenset({Result.DONE, Result.REFUSED})
_ACCESS = (ActionKind.SET_ACCESS_POLICY, ActionKind.DELETE_ACCESS_POLICY, ActionKind.REVIEW_ACCESS_POLICY)
_TOUCHED: Mapping[str, Collection[ActionKind]] = {
    "PutImageTagMutability": (ActionKind.SET_TAG_IMMUTABILITY,),
    "PutImageScanningConfiguration": (ActionKind.SET_SCAN_ON_PUSH,),
    "PutLifecyclePolicy": (ActionKind.PUT_LIFECYCLE_POLICY,),
    "DeleteLifecyclePolicy": (ActionKind.PUT_LIFECYCLE_POLICY,),
    "SetRepositoryPolicy": _ACCESS,
    "DeleteRepositoryPolicy": _ACCESS,
}


def _deed_line(deed: Deed) -> Line:
    note = f" · {deed.remark}" if deed.remark else ""
    return (
        plain(f"{deed.action.field}  "),
        code(deed.action.before),
        plain(" → "),
        code(deed.action.after),
        plain(note),
    )
