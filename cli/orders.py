"""Orders of a person to a deployed function: sent to its queue, and followed in the ledger until they are carried out.

Nothing is changed from here: the deployed functions alone change ECR, and look for themselves whether they may.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.aws import asking
from cli.options import json_option
from cli.patience import Patience
from cli.printing import print_json, tell
from cli.stack import Connect, function_queues, ledger_table
from warden.errors import Refused, Unavailable
from warden.events import Home
from warden.names import ImageId
from warden.text import HIDDEN, clean

if TYPE_CHECKING:
    from warden.ledger import Entry, Ledger
    from warden.queues import Queue

LONGEST_REASON = 200
LONGEST_WAIT = 86_400
"""Seconds: a day."""
EVERY = 2.0
"""Seconds between two looks at the ledger."""
CLOCKS_DIFFER = timedelta(hours=1)
"""This machine's clock and the functions' may differ; AWS takes no request of a clock that is further off."""

SENT, BEGUN = "sent", "begun"
"""The results of an order that is not over."""
FINE = frozenset({"done", "would be done", "nothing to do"})
"""The results that are as good as they can be."""
_REPORTED = "would be done"

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Office:
    """A deployed function that takes orders: its name in the stack's outputs, and in the ledger what it writes of."""

    title: str
    kind: str


PROMOTE = Office("Promote", "promotion")
QUARANTINE = Office("Quarantine", "quarantine")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of any order; `timeout` is in seconds."""

    reason: str
    stage: str
    table: str | None
    timeout: int
    wait: bool
    as_json: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done about an image, by whose order, and why."""

    id: str
    at: datetime
    image: ImageId
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What has become of an order: the result, and the ledger's last line of it, if there is one."""

    order: Order
    result: str
    entry: "Entry | None" = None

    def __str__(self) -> str:
        if self.entry is None:
            return f"{self.order.image}: {self.result}"
        text = clean(self.entry.text, LONGEST_REASON * 2)
        if self.result == _REPORTED:
            return f"{self.order.image}: only reported, since the policy is in report mode here: {text}"
        repeated = text.lower().startswith(self.result)
        return f"{self.order.image}: {text if repeated else f'{clean(self.result, LONGEST_REASON)}: {text}'}"


def order_options(timeout: int) -> Callable[[Decorated], Decorated]:
    """The options of every order; the keyword arguments are the fields of `Asked`."""

    def decorate(command: Decorated) -> Decorated:
        command = json_option(command)
        for option in reversed(_options(timeout)):
            command = option(command)
        return command

    return decorate


def _options(timeout: int) -> tuple[Callable[[Any], Any], ...]:
    return (
        click.option(
            "--reason",
            required=True,
            callback=_reason,
            metavar="TEXT",
            help="Why, in at most 200 characters; others will read it.",
        ),
        click.option("--stage", default="dev", show_default=True, help="The deployed stage that is given the order."),
        click.option("--table", help="The ledger's table; found by the stage's stack where none is given."),
        click.option(
            "--timeout",
            default=timeout,
            show_default=True,
            type=click.IntRange(1, LONGEST_WAIT),
            metavar="SECONDS",
            help="How long to wait for the end of it.",
        ),
        click.option(
            "--wait/--no-wait", default=True, show_default=True, help="Wait for the end of it, or only send the order."
        ),
    )


def _reason(context: click.Context, parameter: click.Parameter, value: str) -> str:  # noqa: ARG001 - click's signature
    """A reason is read by others later: it must say something, in one line."""
    said = clean(value, len(value) + 1).strip()
    if not said.strip(f"{HIDDEN} "):
        raise click.BadParameter("expected a few words for those who read it later")
    if len(said) > LONGEST_REASON:
        raise click.BadParameter(f"expected at most {LONGEST_REASON} characters, got {len(said)}")
    return said


def carry_out(
    office: Office,
    image: ImageId,
    message: Callable[[Order, Home], str],
    asked: Asked,
    connect: Connect,
    *,
    id: str,
    at: datetime,
    patience: Patience,
) -> None:
    """Give the order, follow it, and say what has become of it; `message` is what the function's queue gets.

    Raises Refused where it was refused, Unavailable where AWS does not answer or the time is over.
    """
    desk = _desk(office, connect, asked)
    order = Order(id, at, image, desk.by, asked.reason)
    desk.send(message(order, desk.home))
    if not asked.wait:
        _show(Answer(order, SENT), asked)
        tell(f"Sent as {id}; `{desk.why(image)}` says what becomes of it.")
        return
    tell(f"Sent as {id}, and followed for {_span(asked.timeout)}; Ctrl-C ends the wait, not the order.")
    answer = desk.follow(order, patience)
    if asked.as_json or answer.result in FINE:
        _show(answer, asked)
    _judge(answer, desk, asked)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where orders to one function are given; `by` is the caller's ARN, `home` their account and region."""

    office: Office
    queue: "Queue"
    dead_letters: str
    ledger: "Ledger"
    by: str
    home: Home
    stage: str

    def send(self, body: str) -> None:
        with asking(f"send the order to the {self.office.title.lower()} function"):
            self.queue.send(body)

    def follow(self, order: Order, patience: Patience) -> Answer:
        """What has become of it: its end, or where it stands when the time is over."""
        answer = Answer(order, SENT)
        for _ in patience.looks(EVERY):
            entries = self._entries(order)
            for entry in reversed(entries):
                if (result := entry.details.get("result", "")) not in {"", BEGUN}:
                    return Answer(order, result, entry)
            if entries and answer.result == SENT:
                answer = Answer(order, BEGUN, entries[-1])
                tell(f"Begun: {entries[-1].text}")
        return answer

    def _entries(self, order: Order) -> list["Entry"]:
        try:
            with asking("read the ledger"):
                history = self.ledger.history(str(order.image), since=order.at - CLOCKS_DIFFER)
        except Unavailable as trouble:
            raise Unavailable(
                f"the order was sent as {order.id}, but what becomes of it can't be seen from here: {trouble}"
            ) from None
        return [entry for entry in history if entry.kind == self.office.kind and entry.details.get("event") == order.id]

    def why(self, image: ImageId) -> str:
        return f"warden why {image} --stage {self.stage}"


def _desk(office: Office, connect: Connect, asked: Asked) -> _Desk:
    from warden.ledger import Ledger  # noqa: PLC0415 - botocore takes a tenth of a second
    from warden.queues import Queue  # noqa: PLC0415

    queue, dead_letters = function_queues(asked.stage, office.title, connect)
    table = asked.table or ledger_table(asked.stage, connect)
    sts: Any = connect("sts")
    with asking("learn who this is"):
        who = sts.get_caller_identity()
        by, home = clean(str(who["Arn"]), LONGEST_REASON), Home(who["Account"], sts.meta.region_name)
    return _Desk(
        office, Queue(connect("sqs"), queue), dead_letters, Ledger(connect("dynamodb"), table), by, home, asked.stage
    )


def _show(answer: Answer, asked: Asked) -> None:
    if not asked.as_json:
        click.echo(str(answer))
        return
    order, entry = answer.order, answer.entry
    print_json(
        {
            "order": order.id,
            "image": str(order.image),
            "by": order.by,
            "reason": order.reason,
            "result": answer.result,
            "at": entry.at.isoformat() if entry else None,
            "text": entry.text if entry else "",
            "details": dict(entry.details) if entry else {},
        }
    )


def _judge(answer: Answer, desk: _Desk, asked: Asked) -> None:
    """Nothing where all is well."""
    image = answer.order.image
    if answer.result in FINE:
        return
    if answer.result == BEGUN:
        raise Unavailable(
            f"{image}: begun, and not over after {_span(asked.timeout)}: it goes on by itself, and `{desk.why(image)}` "
            "says what becomes of it"
        )
    if answer.result == SENT:
        raise Unavailable(
            f"{image}: the order was sent, and after {_span(asked.timeout)} the ledger has no line of it: "
            f"`{desk.why(image)}` says when it has; what the function could not read or do is, with the reason, in "
            f"{desk.dead_letters}"
        )
    raise Refused(f"{answer} (`{desk.why(image)}`)")


def _span(seconds: int) -> str:
    """A time as people say it.

    >>> _span(900), _span(60), _span(90)
    ('15 minutes', '1 minute', '90 seconds')
    """
    minutes, rest = divmod(seconds, 60)
    count, unit = (seconds, "second") if rest else (minutes, "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"
