"""What follows from a verdict: whoever promotes or puts in quarantine is asked to look at the image.

They look for themselves at what is known of it then: what stands here is a hint, and may be repeated or late.
"""

from dataclasses import dataclass
from datetime import datetime

from warden.events import Home
from warden.images import Image
from warden.known import Verdict
from warden.looking import Look
from warden.policy import Mode, Promotion
from warden.promotion_events import PromotionDue, promotion_due
from warden.quarantine_events import QuarantineDue, quarantine_due
from warden.quarantines import Quarantines
from warden.queues import Queue
from warden.wildcard import matches


@dataclass(frozen=True, slots=True)
class Consequences:
    """Whom to ask."""

    home: Home
    quarantines: Quarantines
    promoting: Queue
    quarantining: Queue

    def follow(self, look: Look, *, event: str, at: datetime) -> None:
        """Ask whoever has something to do by this verdict; `event` and `at` are the id and time of what led to it.

        A verdict must be remembered before it is followed. It may be followed again.
        """
        image, verdict, standard = look.image, look.judgement.verdict, look.standard
        if verdict is Verdict.PASS and _is_promoted(image, standard.promotion):
            self.promoting.send(promotion_due(PromotionDue(f"promotion {event}", at, image.id), self.home))
        if standard.quarantine.asks and (verdict is Verdict.BLOCK or self.quarantines.holds(image.id)):
            self.quarantining.send(quarantine_due(QuarantineDue(f"quarantine {event}", at, image.id), self.home))


def _is_promoted(image: Image, promotion: Promotion | None) -> bool:
    if promotion is None or promotion.mode is Mode.OFF:
        return False
    return any(matches(pattern, tag) for tag in image.tags for pattern in promotion.tags)
