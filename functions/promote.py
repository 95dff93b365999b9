"""An image passed: it is copied to its release repository, digest for digest, and gets its tags there last of all.

A message is a hint: whether the image may go is looked at now, and once more before it gets a tag.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

import boto3
from botocore.exceptions import ClientError

from warden import answers, prune_events
from warden.errors import Refused
from warden.events import Home, NotForUs
from warden.image_contents import ImageContents
from warden.image_copy import ImageCopy, Missing, Place
from warden.judged_images import JudgedImages
from warden.layer_copy import Copied, LayerCopy, OutOfTime
from warden.layer_downloads import LayerDownloads
from warden.layers import LayerStore
from warden.ledger import KEPT, Entry, Ledger
from warden.lending import DENIED, Lending
from warden.lending import connect as lent_client
from warden.mounting import Mount
from warden.once import once, one_at_a_time
from warden.policy import Mode, Policy
from warden.promotion import Case, Plan, Stop, Target, plan_promotion
from warden.promotion_events import PromotionDue, promotion, promotion_due
from warden.promotion_notice import Moved
from warden.promotion_record import PromotionRecord
from warden.quarantines import Quarantines
from warden.queues import Message, Queue
from warden.registry import Registry
from warden.release_places import ReleasePlaces
from warden.runtime import RETRYING, Deployment, Function, Handle, Outcome
from warden.standards import standard_of
from warden.text import clean
from warden.upload_progress import UploadProgress

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

BUSY_FOR = timedelta(minutes=16)
"""Longer than the function may run."""
MOST_IDLE = 20
"""How many invocations in a row may come to their end without having sent anything."""
LONGEST = 300
_WRONG = frozenset({"InvalidParameterException", "ValidationException"})


class Places(Protocol):
    """Where images are promoted to (`warden.release_places.ReleasePlaces`)."""

    def at(self, target: Target, *, now: datetime) -> Place:
        """What is at the target."""


@dataclass(frozen=True, slots=True)
class Promoting:
    """What the function works with."""

    home: Home
    policy: Policy
    registry: Registry
    contents: ImageContents
    places: Places
    judged: JudgedImages
    quarantines: Quarantines
    ledger: Ledger
    record: PromotionRecord
    own: Queue
    prunes: Queue

    def handle(self, message: Message) -> Outcome:
        """Parse, observe, plan, apply, record."""
        due = promotion(message.body, self.home)
        if isinstance(due, NotForUs):
            return Outcome("NotForUs", reason=due.reason)
        case = self._observe(due)
        plan: Plan | None = None
        try:
            found = plan_promotion(case, self.home)
            if isinstance(found, Stop):
                self.record.stopped(due, found)
                return Outcome(found.outcome, str(due.image), found.why)
            plan = found
            if plan.mode is Mode.REPORT:
                told = self.record.reported(due, plan, message)
                return Outcome("WouldPromote" if told else "ToldBefore", str(due.image), plan.target.shown(self.home))
            return self._take_turn(due, plan, message)
        except Refused as refusal:
            self.record.refused(case, plan, str(refusal), message)
            return Outcome("Refused", str(due.image), str(refusal))

    def _observe(self, due: PromotionDue) -> Case:
        tags = self.registry.repository_tags(due.image.repository, self.home.account)
        known = self.judged.known(due.image)
        return Case(
            due,
            self.registry.image(due.image),
            None if tags is None else standard_of(self.policy, due.image.repository, tags),
            known.verdict if known else None,
            self.quarantines.holds(due.image),
        )

    def _take_turn(self, due: PromotionDue, plan: Plan, message: Message) -> Outcome:
        """Nobody else copies the image to the same place at the same time."""
        target = plan.target
        try:
            return one_at_a_time(
                self.ledger,
                f"promote#{target.account}/{target.region}/{plan.at_target}",
                partial(self._promote, due, plan, message),
                owner=message.id,
                now=message.now,
                busy_for=BUSY_FOR,
            )
        except ClientError as error:
            if answers.code(error) in DENIED | _WRONG:
                raise _refusal(error, target.role, target.shown(self.home)) from None
            raise

    def _promote(self, due: PromotionDue, plan: Plan, message: Message) -> Outcome:
        copy = ImageCopy(plan, self.contents, self.places.at(plan.target, now=message.now))
        missing = copy.look()
        begun = self.record.beginning(due)
        if missing.is_nothing and begun is None:
            self.record.nothing_to_do(due, plan)
            return Outcome("NothingToDo", str(due.image), plan.target.shown(self.home))
        begun = begun or self.record.begun(due, plan, missing.layers)
        self._prepare(plan, copy.place, message)
        try:
            sent = copy.send_layers(missing, message.left)
        except OutOfTime as trouble:
            return self._go_on(due, idle=0 if trouble.copied.bytes or trouble.copied.layers else due.idle + 1)
        if copy.put_manifests(missing, message.left):
            return self._go_on(due, idle=0)
        self._look_again(due, plan)
        copy.put_tags(missing)
        moved = _moved(missing, sent, begun)
        self.record.done(due, plan, moved, message)
        return Outcome("Promoted", str(due.image), f"{plan.target.shown(self.home)}: {moved}")

    def _prepare(self, plan: Plan, place: Place, message: Message) -> None:
        """Make the release repository to its standard, and have prune give it its lifecycle policy.

        Nobody else hears of a repository that the warden makes: repository_changed leaves its own calls alone.
        """
        name = plan.target.repository
        settings = place.registry.settings(name)
        if settings is None:
            place.releases.create(name, standard_of(self.policy, name, {}), self.policy.fingerprint)
            settings = place.registry.settings(name)
        if settings is None or not plan.target.is_at(self.home):
            return
        body = prune_events.repository_due("", name, at=message.now, home=self.home)
        deed = f"release#{name}#{settings.created_at}"
        once(self.ledger, deed, lambda: self.prunes.send(body), owner=message.id, now=message.now, lasts=KEPT)

    def _go_on(self, due: PromotionDue, *, idle: int) -> Outcome:
        """The invocation is nearly over: the rest is for another one."""
        if idle > MOST_IDLE:
            raise Refused(
                f"{idle} invocations have sent nothing of {due.image} in all their time: look at the function's log, "
                "and whether its layers can be downloaded"
            )
        self.own.send(promotion_due(replace(due, idle=idle), self.home))
        return Outcome("GoesOn", str(due.image), "the rest is for another invocation")

    def _look_again(self, due: PromotionDue, plan: Plan) -> None:
        """Copying takes minutes, in which a finding may have come. Raises Refused where it may not go any more."""
        found = plan_promotion(self._observe(due), self.home)
        if isinstance(found, Stop):
            raise Refused(f"while it was copied, something has changed, and no tag was put: {found.why}")
        if found.target != plan.target or found.mode is not plan.mode or not set(plan.tags) <= set(found.tags):
            raise Refused("while it was copied, its tags or its standard have changed, and no tag was put")


def _refusal(error: ClientError, role: str, target: str) -> Refused:
    """What no retry mends: that we may not, or that the image names something that ECR takes for no name."""
    said = f"{answers.code(error)}: {clean(answers.message(error), LONGEST)}"
    if answers.code(error) in DENIED:
        who = role or "the warden's promote role"
        return Refused(f"{error.operation_name} is refused to {who}: let it do so for {target} ({said})")
    return Refused(f"ECR refuses {error.operation_name} on the way to {target}, so build and push it anew ({said})")


def _moved(missing: Missing, sent: Copied, begun: Entry) -> Moved:
    """What was sent; by earlier invocations, too, of which is known what was missing when it was begun."""
    return Moved(
        bytes=sent.bytes if sent.mounted else int(begun.details["bytes"]),
        layers=int(begun.details["layers"]) - sent.mounted,
        mounted=sent.mounted,
        about=missing.whole.about,
        taken=missing.taken,
        left=len(missing.whole.left),
    )


def _copying(deployment: Deployment, target: Target, layers: LayerStore, now: datetime) -> LayerCopy:
    """What brings layers to a target; within our own registry some may need no bringing."""
    mount = Mount(deployment.ecr) if target.is_at(deployment.home) and not target.role else None
    progress = UploadProgress(
        deployment.dynamodb, deployment["WARDEN_LEDGER"], registry=f"{target.account}/{target.region}", now=now
    )
    return LayerCopy(LayerStore(deployment.ecr), layers, progress, download=LayerDownloads().part, mount=mount)


def connect(deployment: Deployment) -> Handle:
    """What a deployed function works with."""
    sts: STSClient = boto3.client("sts", region_name=deployment.home.region, config=RETRYING)
    contents, ledger = ImageContents(deployment.ecr), deployment.ledger
    places = ReleasePlaces(
        deployment.home,
        deployment.ecr,
        lending=Lending(sts),
        connect=partial(lent_client, RETRYING),
        copy_to=partial(_copying, deployment),
    )
    return Promoting(
        home=deployment.home,
        policy=deployment.policy,
        registry=deployment.registry,
        contents=contents,
        places=places,
        judged=deployment.judged_images,
        quarantines=Quarantines(deployment.dynamodb, deployment["WARDEN_LEDGER"]),
        ledger=ledger,
        record=PromotionRecord(deployment.home, ledger, deployment.queue("WARDEN_NOTICES")),
        own=deployment.queue("WARDEN_QUEUE"),
        prunes=deployment.queue("WARDEN_PRUNES"),
    ).handle


handler = Function(connect)
