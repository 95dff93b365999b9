"""A person's orders: what is sent is what the functions read, and what is said of it is what the ledger says."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import click
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result
from moto import mock_aws

from cli import orders
from cli.main import commands
from cli.promote import promote
from cli.quarantine import quarantine
from cli.release import release
from tests.account import Stack
from tests.builders import HOME, NOW, digest, image_id
from tests.unit.cli.deployed import ALICE, Clock, Deployed, asked
from warden import promotion_events, quarantine_events
from warden.errors import Refused, Unavailable
from warden.names import ImageId, RepositoryName
from warden.promotion_events import PromotionDue, promotion_due
from warden.quarantine_events import Order, QuarantineDue

ID = "promotion 5c1f"


@pytest.fixture
def deployed(stack: Stack) -> Deployed:
    return Deployed(stack)


@pytest.fixture
def image(deployed: Deployed) -> ImageId:
    return ImageId(RepositoryName("team/app"), deployed.registry.push("v1", "v1"))


def order(deployed: Deployed, image: ImageId, clock: Clock | None = None, **changes: Any) -> None:
    """An order to promote an image, once it is known which one."""
    said = asked(**changes)
    orders.carry_out(
        orders.PROMOTE,
        image,
        lambda order, home: promotion_due(PromotionDue(order.id, order.at, order.image, order.by, order.reason), home),
        said,
        deployed.connect,
        id=ID,
        at=NOW,
        patience=(clock or Clock()).patience(said.timeout),
    )


def answering(deployed: Deployed, image: ImageId, *lines: tuple[float, str, str], kind: str = "promotion") -> Clock:
    """A clock by which a function writes those lines of the order, each once so many seconds have gone."""
    written: set[float] = set()

    def write(seconds: float) -> None:
        for after, result, text in lines:
            if after <= seconds and after not in written:
                written.add(after)
                deployed.record(image, kind, text, minutes=after / 60, event=ID, result=result)

    return Clock(then=write)


def test_the_promote_function_reads_what_a_person_orders(deployed: Deployed, image: ImageId) -> None:
    for text, anyway in ((str(image), False), ("team/app:v1", True)):
        patience = Clock().patience(60)
        promote(text, asked(wait=False), deployed.connect, anyway=anyway, id=ID, at=NOW, patience=patience)

    plain, urgent = (promotion_events.promotion(body, HOME) for body in deployed.stack.bodies("Promote"))
    assert plain == PromotionDue(ID, NOW, image, ALICE, "release day")
    assert urgent == PromotionDue(ID, NOW, image, ALICE, "release day", anyway=True)
    assert deployed.registry.writes() == [], "nothing is changed from here"


@pytest.mark.parametrize(("give", "what"), [(quarantine, Order.QUARANTINE), (release, Order.RELEASE)])
def test_the_quarantine_function_reads_what_a_person_orders(
    give: Callable[..., None], what: Order, deployed: Deployed, image: ImageId
) -> None:
    patience = Clock().patience(60)
    give(str(image), asked(wait=False), deployed.connect, id="quarantine 5c1f", at=NOW, patience=patience)

    (body,) = deployed.stack.bodies("Quarantine")
    due = quarantine_events.quarantine(body, HOME)
    assert due == QuarantineDue("quarantine 5c1f", NOW, image, what, ALICE, "release day")
    assert deployed.registry.writes() == []


def test_what_goes_by_its_tag_is_ordered_by_its_digest(
    deployed: Deployed, image: ImageId, capsys: pytest.CaptureFixture[str]
) -> None:
    patience = Clock().patience(60)
    quarantine("team/app:v1", asked(wait=False), deployed.connect, id="q", at=NOW, patience=patience)

    assert f"team/app:v1 is {image}." in capsys.readouterr().err
    (body,) = deployed.stack.bodies("Quarantine")
    assert json.loads(body)["detail"]["image-digest"] == image.digest


def test_an_image_that_is_gone_is_released_all_the_same(deployed: Deployed) -> None:
    gone = image_id("gone")
    release(str(gone), asked(wait=False), deployed.connect, id="r", at=NOW, patience=Clock().patience(60))

    assert deployed.registry.wire.operations() == []
    assert len(deployed.stack.bodies("Quarantine")) == 1


@pytest.mark.parametrize("give", [promote, quarantine])
def test_an_image_that_is_gone_is_neither_promoted_nor_put_in_quarantine(
    give: Callable[..., None], deployed: Deployed
) -> None:
    more: dict[str, Any] = {"anyway": False} if give is promote else {}
    with pytest.raises(Refused, match="is not in the registry"):
        give(
            str(image_id("gone")),
            asked(),
            deployed.connect,
            id=ID,
            at=NOW,
            patience=Clock().patience(60),
            **more,
        )
    assert deployed.stack.bodies("Promote") == deployed.stack.bodies("Quarantine") == []


@pytest.mark.parametrize(
    ("result", "text", "said"),
    [
        ("done", "promoted to release/app", "done: promoted to release/app"),
        ("done", "Done: 3 layers sent", "Done: 3 layers sent"),
        ("nothing to do", "it is there already", "nothing to do: it is there already"),
        (
            "would be done",
            "would go to release/app",
            "only reported, since the policy is in report mode here: would go to release/app",
        ),
    ],
)
def test_what_ends_well_is_one_line_on_stdout(
    result: str, text: str, said: str, deployed: Deployed, image: ImageId, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = answering(deployed, image, (4, "begun", "5 layers to send"), (30, result, text))

    order(deployed, image, clock)

    shown = capsys.readouterr()
    assert shown.out == f"{image}: {said}\n"
    assert shown.err.splitlines() == [
        f"Sent as {ID}, and followed for 1 minute; Ctrl-C ends the wait, not the order.",
        "Begun: 5 layers to send",
    ]
    assert sum(clock.slept) == 30, "it is looked for until it is there, and no longer"


@pytest.mark.parametrize("result", ["refused", "something new"])
def test_what_does_not_end_well_fails_with_why_and_where_there_is_more(
    result: str, deployed: Deployed, image: ImageId, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = answering(deployed, image, (2, result, "tag v1 is another image's at release/app"))

    with pytest.raises(Refused) as refused:
        order(deployed, image, clock)

    assert str(refused.value) == (
        f"{image}: {result}: tag v1 is another image's at release/app (`warden why {image} --stage dev`)"
    )
    assert capsys.readouterr().out == ""


def test_only_what_became_of_this_order_counts(deployed: Deployed, image: ImageId) -> None:
    for kind, event, result in [
        ("promotion", "promotion of another", "done"),
        ("quarantine", ID, "done"),
        ("promotion", ID, "begun"),
        ("promotion", ID, ""),
    ]:
        deployed.record(image, kind, "not it", event=event, result=result)
    deployed.record(image_id("other"), "promotion", "not it", event=ID, result="done")

    with pytest.raises(Unavailable, match="begun, and not over after 1 minute"):
        order(deployed, image)


def test_the_last_end_of_an_order_that_was_tried_again_counts(deployed: Deployed, image: ImageId) -> None:
    deployed.record(image, "promotion", "no layer", event=ID, result="refused")
    deployed.record(image, "promotion", "promoted", minutes=1, event=ID, result="done")
    deployed.record(image, "promotion", "once more", minutes=2, event=ID, result="begun")

    order(deployed, image)


def test_what_a_clock_that_is_behind_has_written_is_seen(deployed: Deployed, image: ImageId) -> None:
    deployed.record(image, "promotion", "promoted", minutes=-10, event=ID, result="done")
    order(deployed, image)


def test_what_nobody_begins_is_told_with_where_to_look(deployed: Deployed, image: ImageId) -> None:
    clock = Clock()
    with pytest.raises(Unavailable) as late:
        order(deployed, image, clock, timeout=90)

    assert "the order was sent, and after 90 seconds the ledger has no line of it" in str(late.value)
    assert f"`warden why {image} --stage dev`" in str(late.value)
    assert "https://sqs/PromoteDead" in str(late.value)
    assert sum(clock.slept) == 90
    assert len(deployed.stack.bodies("Promote")) == 1, "it is sent once"


def test_what_is_not_over_in_time_goes_on_and_that_is_said(deployed: Deployed, image: ImageId) -> None:
    clock = answering(deployed, image, (2, "begun", "5 layers to send"))
    with pytest.raises(Unavailable, match="begun, and not over after 1 minute: it goes on by itself"):
        order(deployed, image, clock)


@pytest.mark.parametrize(
    ("lines", "result", "fails"),
    [
        ([(2, "done", "promoted")], "done", False),
        ([(2, "refused", "a conflict")], "refused", True),
        ([(2, "begun", "5 layers")], "begun", True),
        ([], "sent", True),
    ],
)
def test_programs_get_the_end_of_it_as_json(
    lines: list[tuple[float, str, str]],
    result: str,
    fails: bool,
    deployed: Deployed,
    image: ImageId,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = answering(deployed, image, *lines)
    try:
        order(deployed, image, clock, as_json=True)
        failed = False
    except (Refused, Unavailable):
        failed = True

    told = json.loads(capsys.readouterr().out)
    assert failed is fails
    assert told == {
        "order": ID,
        "image": str(image),
        "by": ALICE,
        "reason": "release day",
        "result": result,
        "at": (NOW + timedelta(seconds=2)).isoformat() if lines else None,
        "text": lines[0][2] if lines else "",
        "details": {"event": ID, "result": result} if lines else {},
    }


def test_who_does_not_wait_is_told_how_to_look_later(
    deployed: Deployed, image: ImageId, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    order(deployed, image, clock, wait=False)

    shown = capsys.readouterr()
    assert shown.out == f"{image}: sent\n"
    assert shown.err == f"Sent as {ID}; `warden why {image} --stage dev` says what becomes of it.\n"
    assert clock.slept == []


def test_text_of_the_ledger_reaches_no_terminal_as_a_command(
    deployed: Deployed, image: ImageId, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = answering(deployed, image, (2, "begun", "\x1b[2J\u202e1"), (4, "done", "\x1b]0;owned\x07\nforged line"))

    order(deployed, image, clock)

    shown = capsys.readouterr()
    assert not {"\x1b", "\x07", "\u202e"} & set(shown.out + shown.err)
    assert len(shown.out.splitlines()) == 1


def test_a_long_text_of_the_ledger_is_cut(
    deployed: Deployed, image: ImageId, capsys: pytest.CaptureFixture[str]
) -> None:
    order(deployed, image, answering(deployed, image, (2, "done", "x" * 100_000)))
    assert len(capsys.readouterr().out) < 600


def test_a_stage_without_the_function_is_told_to_be_deployed_again(deployed: Deployed, image: ImageId) -> None:
    del deployed.stack_of_the_stage.outputs["PromoteQueue"]
    with pytest.raises(Refused, match=r"no output PromoteQueue: .* with a promote function; where it is of an older"):
        order(deployed, image)


def test_a_stage_that_is_not_deployed_is_told(deployed: Deployed, image: ImageId) -> None:
    cloudformation = boto3.client("cloudformation")
    stubbed = Stubber(cloudformation)
    stubbed.add_client_error("describe_stacks", "ValidationError", "Stack with id EcrWarden-nowhere does not exist")
    deployed.broken["cloudformation"] = cloudformation
    with (
        stubbed,
        pytest.raises(Unavailable, match=r"can't find the promote function of stack EcrWarden-nowhere: .*exist"),
    ):
        order(deployed, image, stage="nowhere")


def test_without_the_right_to_send_nothing_is_followed(deployed: Deployed, image: ImageId) -> None:
    sqs = boto3.client("sqs")
    stubbed = Stubber(sqs)
    stubbed.add_client_error("send_message", "AccessDenied", "not you")
    deployed.broken["sqs"] = sqs
    clock = Clock()
    with (
        stubbed,
        pytest.raises(Unavailable, match=r"can't send the order to the promote function: .* right to: not you"),
    ):
        order(deployed, image, clock)
    assert clock.slept == []


def test_where_the_ledger_can_not_be_read_it_is_said_that_the_order_was_sent(
    deployed: Deployed, image: ImageId
) -> None:
    with pytest.raises(
        Unavailable, match=f"the order was sent as {ID}, but .* can't read the ledger: ResourceNotFound"
    ):
        order(deployed, image, table="gone")
    assert len(deployed.stack.bodies("Promote")) == 1


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments)


COMMANDS = ("promote", "quarantine", "release")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ([], "Missing option '--reason'"),
        (["--reason", ""], "expected a few words"),
        (["--reason", " \t\n"], "expected a few words"),
        (["--reason", "\u200b\x1b\u200b"], "expected a few words"),
        (["--reason", "x" * 201], "expected at most 200 characters, got 201"),
    ],
)
def test_a_reason_is_asked_for_and_says_something_in_one_line(name: str, reason: list[str], said: str) -> None:
    result = invoke(name, f"team/app@{digest('a')}", *reason)

    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr


def _read(name: str, *arguments: str) -> dict[str, Any]:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    return command.make_context(name, ["team/app:v1", "--reason", "why", *arguments]).params


@pytest.mark.parametrize(("name", "timeout"), [("promote", 900), ("quarantine", 120), ("release", 120)])
def test_what_the_command_line_says_is_what_is_asked(name: str, timeout: int) -> None:
    read = _read(name)
    read.pop("image")
    read.pop("anyway", None)
    assert orders.Asked(**read) == orders.Asked("why", "dev", None, timeout, wait=True, as_json=False)

    changed = _read(name, "--no-wait", "--json", "--stage", "prod", "--table", "t", "--timeout", "5")
    changed.pop("image")
    changed.pop("anyway", None)
    assert orders.Asked(**changed) == orders.Asked("why", "prod", "t", 5, wait=False, as_json=True)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" two\r\nlines \u202egnp\udc80 ", "two lines \ufffdgnp\ufffd"),
        ("x" * 200, "x" * 200),
        ("a " * 100, ("a " * 100).strip()),
    ],
)
def test_a_reason_is_cleaned_before_anybody_reads_it(given: str, kept: str) -> None:
    assert _read("promote", "--reason", given)["reason"] == kept


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_by_itself_what_it_can_not_read(name: str) -> None:
    result = invoke(name, "\x1b[31mteam/app", "--reason", "why")

    assert result.exit_code == 1
    assert "expected REPO:TAG, such as team/app:v1, or REPO@DIGEST" in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("name", ["promote", "quarantine"])
def test_the_command_looks_for_the_image_before_it_orders_anything(name: str) -> None:
    with mock_aws():
        boto3.client("ecr").create_repository(repositoryName="team/app")
        result = invoke(name, "team/app:v1", "--reason", "why")

    assert result.exit_code == 1
    assert "no image is tagged team/app:v1 now" in result.stderr


@pytest.mark.parametrize("timeout", ["0", "-1", "86401", "soon"])
def test_the_wait_is_from_a_second_to_a_day(timeout: str) -> None:
    result = invoke("promote", "team/app:v1", "--reason", "why", "--timeout", timeout)
    assert result.exit_code == 1
    assert "--timeout" in result.stderr
