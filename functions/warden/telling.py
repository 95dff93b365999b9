"""Telling of a verdict: at once where an image was pushed just now, else held for a moment for others like it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from warden import exemptions, messages, routing, storm_notice, verdict_notice
from warden.events import HeldNewsDue, Home
from warden.held_news import HeldNews
from warden.image_labels import ImageLabels
from warden.images import Image
from warden.judged_images import JudgedImages
from warden.known import Verdict
from warden.ledger import KEPT, Entry, Ledger
from warden.looking import Look
from warden.news import NewFinding, News
from warden.notices import Notice, to_json
from warden.once import one_at_a_time
from warden.policy import Policy
from warden.queues import Message, Queue
from warden.routing import Route
from warden.tag_lines import places

JUST_NOW = timedelta(hours=1)
"""How long after its push an image's first verdict is told at once: somebody waits for it."""
HELD_FOR = timedelta(seconds=30)
"""How long news of older images is held back, and again for as long as more comes."""
LONGEST = timedelta(minutes=5)
"""When it is told though more still comes."""
MOST_EXEMPTED = 20
"""How many exempted findings an entry of the ledger names."""
MOST_NEW = 20
"""How many findings of one image go into the table of many."""
MOST_WHY = 10
"""How many reasons for which parts of one image were not scanned."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is needed to tell; `own` is the queue of the function that tells."""

    home: Home
    policy: Policy
    ledger: Ledger
    judged: JudgedImages
    held: HeldNews
    labels: ImageLabels
    notices: Queue
    own: Queue

    def tell(self, look: Look, *, event: str, at: datetime, message: Message) -> str:
        """Write the verdict down, tell it, and remember what is known now; says what became of it.

        `event` and `at` are the id and time of what led to the look. Bears a repetition by the same message.
        """
        image, judgement = look.image, look.judgement
        self._record(look, event, at, message.now)
        outcome = "Passed" if judgement.verdict is Verdict.PASS else "NothingNew"
        if judgement.is_news:
            route = self._route(look)
            notice = verdict_notice.judged(
                image, look.platforms, judgement, look.standard, self.home, now=message.now, owner=route.owner
            )
            outcome = self._send(look, notice, route.channels, message)
        self.ledger.finish(f"judged#{image.id}", owner=message.id, now=message.now, lasts=KEPT)
        # Last: once this is known, a repetition finds nothing new to tell.
        known = replace(judgement.known(image.name, message.now.date()), thread=_thread(look))
        self.judged.remember(image.id, known, places(image), now=message.now)
        return outcome

    def place(self, image: Image, *, now: datetime) -> None:
        """Remember where an image stands that was judged before: it may have got a tag since."""
        self.judged.place(image.id, places(image), now=now)

    def _record(self, look: Look, event: str, at: datetime, now: datetime) -> None:
        judgement = look.judgement
        counts = {severity.value: str(count) for severity, count in judgement.counts.items()}
        details = {
            "rule": look.standard.origins["findings.notify_from"],
            "because": verdict_notice.because(judgement, look.standard),
            **counts,
            **_compared(look),
            **_accepted(look),
        }
        text = f"verdict {judgement.verdict}: {verdict_notice.counted(judgement)}"
        self.ledger.record(
            Entry(str(look.image.id), at, "verdict", text, details), event=f"{event}#{judgement.fingerprint}"
        )
        for day in {one.exemption.until for one in judgement.exempted}:
            self.ledger.remember_lapse(look.image.id, day)
        for key in sorted({exemptions.key(one.exemption) for one in judgement.exempted}):
            self.ledger.remember_use(key, now=now)

    def _route(self, look: Look) -> Route:
        wanted = routing.asks_for_labels(self.policy, look.standard)
        return routing.route(self.policy, look.standard, self.labels.of(look.image.id) if wanted else None)

    def _send(self, look: Look, notice: Notice, channels: Iterable[str], message: Message) -> str:
        comparison = look.judgement.comparison
        is_first = comparison is None or not comparison.before.itself
        if is_first and message.now - look.image.pushed_at < JUST_NOW:
            self.notices.send_all(to_json(notice, channel=channel) for channel in channels)
            return "Announced"
        for channel in channels:
            self._hold(_news(look, notice, channel), channel, message)
        return "Held"

    def _hold(self, news: News, channel: str, message: Message) -> None:
        joined = self.held.join(channel, news, owner=message.id, now=message.now)
        if joined.unasked or joined.late:
            due = messages.held_news_due(channel, joined.episode, seen=1, at=message.now, home=self.home)
            self.own.send(due, delay=0 if joined.late else int(HELD_FOR.total_seconds()))
            self.held.asked(channel, joined.episode, now=message.now)

    def tell_held(self, event: HeldNewsDue, message: Message) -> tuple[str, int]:
        """Tell what was held back, unless more came in meanwhile; says what became of it, and of how much."""
        return one_at_a_time(
            self.ledger,
            f"held#{event.channel}#{event.episode}",
            lambda: self._tell_held(event, message),
            owner=message.id,
            now=message.now,
        )

    def _tell_held(self, event: HeldNewsDue, message: Message) -> tuple[str, int]:
        waiting = self.held.waiting(event.channel, event.episode)
        if len(waiting) > event.seen and message.now - event.at < LONGEST:
            again = messages.held_news_due(event.channel, event.episode, seen=len(waiting), at=event.at, home=self.home)
            self.own.send(again, delay=int(HELD_FOR.total_seconds()))
            return "StillHeld", len(waiting)
        self.held.close(event.channel, event.episode, now=message.now)
        waiting = self.held.waiting(event.channel, event.episode)
        self.notices.send_all(self._bodies(waiting, event.channel, message.now))
        self.held.tell(event.channel, event.episode, waiting, now=message.now)
        return "ToldHeld", len(waiting)

    def _bodies(self, waiting: Sequence[News], channel: str, now: datetime) -> Iterable[str]:
        """A message for each piece of news, as it came, or one for all of one kind where it is of many images."""
        images = {kind: {news.name for news in waiting if news.kind == kind} for kind in {one.kind for one in waiting}}
        many = sorted(kind for kind, names in images.items() if len(names) >= storm_notice.FEWEST)
        yield from (news.notice for news in waiting if news.kind not in many)
        for kind in many:
            alike = [news for news in waiting if news.kind == kind]
            yield to_json(storm_notice.storm(alike, self.home, now=now), channel=channel)


def _thread(look: Look) -> str:
    """The thread of what is told of the image: of an earlier one's, as long as nothing new is told of this one."""
    judgement = look.judgement
    before = judgement.comparison.before if judgement.comparison else None
    goes_on = before and (before.itself or not (judgement.is_news or judgement.verdict is Verdict.PASS))
    return before.thread if before and goes_on else str(look.image.id)


def _news(look: Look, notice: Notice, channel: str) -> News:
    judgement = look.judgement
    return News(
        id=notice.id,
        kind=notice.kind,
        repository=look.image.id.repository,
        name=look.image.name,
        in_use=judgement.in_use,
        findings=tuple(
            NewFinding(finding.name, finding.severity, finding.package, finding.fixed_in)
            for finding in (one.shown for one in judgement.news[:MOST_NEW])
        ),
        why=tuple(dict.fromkeys(scan.why for scan in judgement.gaps))[:MOST_WHY],
        notice=to_json(notice, channel=channel),
        at=notice.at,
    )


def _compared(look: Look) -> dict[str, str]:
    """What differs from before."""
    comparison = look.judgement.comparison
    if comparison is None:
        return {}
    fixed = "unknown" if comparison.fixed is None else str(comparison.fixed)
    return {
        "since": comparison.before.known.name,
        "introduced": str(len(comparison.introduced)),
        "fixed": fixed,
        "known": str(comparison.stayed),
    }


def _accepted(look: Look) -> dict[str, str]:
    """What was found and did not count, and which exemption says so."""
    exempted = look.judgement.exempted
    said = [f"{one.finding.name} in {one.finding.package} by {one.exemption.origin}" for one in exempted]
    rest = len(said) - MOST_EXEMPTED
    told = "; ".join(said[:MOST_EXEMPTED]) + (f"; and {rest} more" if rest > 0 else "")
    return {"exempted": told} if told else {}
