"""The sweep goes round the images of a repository, once, and asks whoever has to look at one of them again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from warden import messages, rescans
from warden.events import Home
from warden.images import Image
from warden.ledger import Ledger
from warden.names import ImageId, RepositoryName
from warden.observing import Observed
from warden.policy import Mode, Policy, ScanningStandard
from warden.quarantine_events import QuarantineDue, quarantine_due
from warden.quarantines import Quarantines
from warden.queues import Queue
from warden.registry import Registry

LOOKED_BACK = timedelta(hours=48)
"""How far back an image without a verdict is looked for: two sweeps, so that one lost event costs a day at most."""
AFTER_INDEXES = 60
"""Seconds by which indexes go first, so that their platform images are known to be theirs."""


@dataclass(frozen=True, slots=True)
class Round:
    """How many images somebody was asked to look at: those without a verdict, and those whose scan is old."""

    reminded: int = 0
    rescanned: int = 0


@dataclass(frozen=True, slots=True)
class ImageRounds:
    """What the images are looked at with, and who is asked."""

    home: Home
    policy: Policy
    registry: Registry
    ledger: Ledger
    quarantines: Quarantines
    pushes: Queue
    judgements: Queue
    quarantining: Queue
    most_rescans: int = rescans.MOST

    def go(self, observed: Observed, *, now: datetime) -> Round:
        """Read the images of the repository, and ask about those that were forgotten, are stale, or are held."""
        repository, every = observed.observation.name, _rescanned_after(observed)
        held = self._held(repository)
        recent: list[Image] = []
        stale: list[Image] = []
        present: set[ImageId] = set()
        for image in self.registry.images(repository):
            if image.pushed_at >= now - LOOKED_BACK:
                recent.append(image)
            if every is not None:
                stale += rescans.due((image,), every, now=now)
            if image.id in held:
                present.add(image.id)
        forgotten = [image for image in recent if self._is_forgotten(image, now)]
        self._remind(forgotten, now)
        again = self._ask_for_scans(stale, forgotten, every, now)
        self._ask_about_held(held, present, now)
        return Round(len(forgotten), again)

    def _is_forgotten(self, image: Image, now: datetime) -> bool:
        """Whether it has no verdict: the event of a push or of a scan was lost."""
        if self.ledger.is_done(f"judged#{image.id}", now=now):
            return False
        return bool(image.tags) or image.is_index or not self.ledger.indexes_of(image.id)

    def _remind(self, forgotten: Iterable[Image], now: datetime) -> None:
        indexes = [self._reminder(image, now) for image in forgotten if image.is_index]
        others = [self._reminder(image, now) for image in forgotten if not image.is_index]
        self.pushes.send_all(indexes)
        self.pushes.send_all(others, delay=AFTER_INDEXES if indexes else 0)

    def _reminder(self, image: Image, now: datetime) -> str:
        return messages.push_reminder(image.id, id=f"reminder {image.id}", at=now, home=self.home)

    def _ask_for_scans(
        self, stale: Iterable[Image], forgotten: Iterable[Image], every: int | None, now: datetime
    ) -> int:
        """Ask for new scans; whoever was reminded of already is scanned for that."""
        reminded = {image.id for image in forgotten}
        waiting = [image for image in stale if image.id not in reminded]
        chosen = rescans.chosen(waiting, every, today=now.date(), most=self.most_rescans) if every else ()
        self.pushes.send_all(
            messages.push_reminder(image.id, id=f"rescan {image.id}", at=now, home=self.home, anew=True)
            for image in chosen
        )
        return len(chosen)

    def _held(self, repository: RepositoryName) -> frozenset[ImageId]:
        """The images in quarantine; nobody is asked where the policy puts none there."""
        if not self.policy.asks("quarantine.by"):
            return frozenset()
        return frozenset(held.image for held in self.quarantines.all_of(repository))

    def _ask_about_held(self, held: frozenset[ImageId], present: set[ImageId], now: datetime) -> None:
        """A new verdict on each, since it may be exempted by now; what is left of one that is gone is taken away."""
        self.judgements.send_all(
            messages.judgement_request(image, id=f"quarantine {image}", at=now, home=self.home)
            for image in sorted(present, key=str)
        )
        self.quarantining.send_all(
            quarantine_due(QuarantineDue(f"gone {image}", now, image), self.home)
            for image in sorted(held - present, key=str)
        )


def _rescanned_after(observed: Observed) -> int | None:
    """After how many days the images are scanned anew: with enhanced scanning Inspector does so by itself."""
    scanning: ScanningStandard = observed.standard.scanning
    if observed.observation.scanning.enhanced or scanning.mode is Mode.OFF:
        return None
    return scanning.rescan_after_days
