"""A scan finished: read what it found, give the verdict on the image, and tell it where the policy says so."""

from dataclasses import dataclass
from datetime import timedelta

from warden import events, messages
from warden.downloads import download
from warden.events import FindingChanged, HeldNewsDue, Home, NotForUs, ScanFinished
from warden.images import Image
from warden.ledger import Ledger
from warden.looking import Looking
from warden.names import ImageId
from warden.once import once
from warden.queues import Message, Queue
from warden.registry import Registry
from warden.runtime import Deployment, Function, Handle, Outcome
from warden.telling import Telling

INDEX_FOLLOWS = timedelta(seconds=60)
"""How long after an untagged image the index that lists it is waited for: clients push children first."""
GATHERED_FOR = timedelta(seconds=30)
"""How long changes of single findings are gathered before their image is looked at."""
MOST_WINDOWS = 10
"""A stream that never ends is looked at all the same, every so many windows."""
A_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FinishedScans:
    """What the function works with."""

    home: Home
    registry: Registry
    ledger: Ledger
    looking: Looking
    telling: Telling
    own: Queue

    def handle(self, message: Message) -> Outcome:
        """Parse, observe, plan, apply, record."""
        event = events.scan_finished(message.body, self.home)
        match event:
            case NotForUs(reason):
                return Outcome("NotForUs", reason=reason)
            case FindingChanged():
                return self._gather(event, message)
            case HeldNewsDue():
                outcome, count = self.telling.tell_held(event, message)
                return Outcome(outcome, event.channel, f"news of {count} images")
            case ScanFinished():
                return self._look(event, message)

    def _gather(self, event: FindingChanged, message: Message) -> Outcome:
        """Findings come by the hundred, an event each: the image is looked at when the window is over, once."""
        window, into = divmod(message.now.timestamp(), GATHERED_FOR.total_seconds())
        request = messages.judgement_request(
            event.image, id=event.id, at=message.now, home=self.home, window=int(window)
        )
        left = int(GATHERED_FOR.total_seconds() - into) + 1
        first = once(
            self.ledger,
            _gathering(event.image, int(window)),
            lambda: self._send(request, left),
            owner=message.id,
            now=message.now,
            lasts=A_DAY,
        )
        return Outcome("GatheringBegun" if first else "Gathered", str(event.image))

    def _send(self, request: str, delay: int) -> bool:
        self.own.send(request, delay=delay)
        return True

    def _goes_on(self, image: ImageId, window: int, message: Message) -> bool:
        """Whether more came in after the window, so that the image is looked at later; not in every tenth window."""
        return bool(window % MOST_WINDOWS) and self.ledger.is_done(_gathering(image, window + 1), now=message.now)

    def _look(self, event: ScanFinished, message: Message) -> Outcome:
        if event.window is not None and self._goes_on(event.image, event.window, message):
            return Outcome("StillGathering", str(event.image))
        image = self.registry.image(event.image)
        if image is None:
            return Outcome("Gone", str(event.image))
        indexes = () if image.is_index else self._indexes_of(image)
        wait = INDEX_FOLLOWS - (message.now - image.pushed_at)
        if not (image.tags or image.is_index or indexes) and wait > timedelta(0):
            request = messages.judgement_request(event.image, id=event.id, at=message.now, home=self.home)
            self.own.send(request, delay=int(wait.total_seconds()) + 1)
            return Outcome("Postponed", str(event.image), "an index that lists it may still be on its way")
        subjects = indexes if indexes and not image.tags else (image, *indexes)
        told = [self._judge(subject, event, message) for subject in subjects]
        return Outcome(told[-1], ", ".join(str(subject.id) for subject in subjects))

    def _indexes_of(self, image: Image) -> tuple[Image, ...]:
        """The indexes that list the image and are still there."""
        known = (self.registry.image(index) for index in self.ledger.indexes_of(image.id))
        return tuple(index for index in known if index)

    def _judge(self, image: Image, event: ScanFinished, message: Message) -> str:
        """What became of it; an image is judged when the scans of all its platforms are over."""
        look = self.looking.at(image, now=message.now)
        if isinstance(look, str):
            return look
        if look.judgement.is_repetition:
            return "JudgedBefore"
        told = once(
            self.ledger,
            f"judge#{image.id}#{look.judgement.revision}",
            lambda: self.telling.tell(look, event=event.id, at=event.at, message=message),
            owner=message.id,
            now=message.now,
        )
        return told or "JudgedBefore"


def _gathering(image: ImageId, window: int) -> str:
    return f"gather#{image}#{window}"


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    own = deployment.queue("WARDEN_QUEUE")
    return FinishedScans(
        home=deployment.home,
        registry=deployment.registry,
        ledger=deployment.ledger,
        looking=Looking(
            home=deployment.home,
            policy=deployment.policy,
            registry=deployment.registry,
            ledger=deployment.ledger,
            judged=deployment.judged_images,
            inspector=deployment.inspector if deployment.policy.asks("findings.epss_from") else None,
        ),
        telling=Telling(
            home=deployment.home,
            policy=deployment.policy,
            ledger=deployment.ledger,
            judged=deployment.judged_images,
            held=deployment.held_news,
            labels=deployment.image_labels(download),
            notices=deployment.queue("WARDEN_NOTICES"),
            own=own,
        ),
        own=own,
    ).handle


handler = Function(connect)
