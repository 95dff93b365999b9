"""A scan finished: read what it found, give the verdict on the image, and tell it where the policy says so."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from warden import events, messages
from warden.consequences import Consequences
from warden.downloads import download
from warden.errors import Unavailable
from warden.events import FindingChanged, HeldNewsDue, Home, NotForUs, ScanFinished
from warden.images import Image
from warden.ledger import Ledger
from warden.looking import Looking
from warden.names import ImageId
from warden.once import LOOK_AGAIN, once
from warden.quarantines import Quarantines
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
MOST_INDEXES = 5
"""As many indexes that list an image are judged with it; a platform that never changes is in each night's."""
MOST_LOOKS = 3
"""How often an image is looked at again because somebody else judged it meanwhile, before the message waits."""


@dataclass(frozen=True, slots=True)
class FinishedScans:
    """What the function works with."""

    home: Home
    registry: Registry
    ledger: Ledger
    looking: Looking
    telling: Telling
    consequences: Consequences
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
        listed_by = () if image.is_index else self.ledger.indexes_of(image.id)
        if len(listed_by) > MOST_INDEXES and any(map(self.registry.image, listed_by)):
            return self._pass_on(image, listed_by, event, message)
        indexes = self._still_there(listed_by)
        wait = INDEX_FOLLOWS - (message.now - image.pushed_at)
        if not (image.tags or image.is_index or indexes) and wait > timedelta(0):
            request = messages.judgement_request(event.image, id=event.id, at=message.now, home=self.home)
            self.own.send(request, delay=int(wait.total_seconds()) + 1)
            return Outcome("Postponed", str(event.image), "an index that lists it may still be on its way")
        subjects = indexes if indexes and not image.tags else (image, *indexes)
        told = [self._judge(subject, event, message) for subject in subjects]
        return Outcome(told[-1], ", ".join(str(subject.id) for subject in subjects))

    def _pass_on(self, image: Image, indexes: tuple[ImageId, ...], event: ScanFinished, message: Message) -> Outcome:
        """Ask for a look at each of many indexes: together they would outlast the function."""
        told = self._judge(image, event, message) if image.tags else ""
        self.own.send_all(
            messages.judgement_request(index, id=event.id, at=event.at, home=self.home) for index in indexes
        )
        return Outcome("PassedOn", str(image.id), f"{len(indexes)} indexes list it; {told or 'it has no tag'}")

    def _still_there(self, images: tuple[ImageId, ...]) -> tuple[Image, ...]:
        return tuple(image for image in map(self.registry.image, images) if image)

    def _judge(self, image: Image, event: ScanFinished, message: Message) -> str:
        """What became of it; an image is judged when the scans of all its platforms are over.

        Whoever judged it meanwhile may have read older scans: what is done for them is not done for ours, so we look
        again, and know then what they knew.
        """
        for _ in range(MOST_LOOKS):
            look = self.looking.at(image, now=message.now)
            if isinstance(look, str):
                return look
            if look.judgement.is_repetition:
                if event.asked:  # after a push, it may be, by which the image got a tag
                    self.telling.place(image, now=message.now)
                self.consequences.follow(look, event=event.id, at=event.at)
                return "JudgedBefore"
            told = once(
                self.ledger,
                f"judge#{image.id}#{look.judgement.revision}",
                partial(self.telling.tell, look, event=event.id, at=event.at, message=message),
                owner=message.id,
                now=message.now,
            )
            if told:
                self.consequences.follow(look, event=event.id, at=event.at)
                return told
        raise Unavailable(f"{image.id} is judged by others all the time", retry_after=LOOK_AGAIN)


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
        consequences=Consequences(
            home=deployment.home,
            quarantines=Quarantines(deployment.dynamodb, deployment["WARDEN_LEDGER"]),
            promoting=deployment.queue("WARDEN_PROMOTIONS"),
            quarantining=deployment.queue("WARDEN_QUARANTINES"),
        ),
        own=own,
    ).handle


handler = Function(connect)
