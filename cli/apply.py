"""`warden apply`: bring the repositories to their standard, now and from here."""

import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import plans
from cli.aws import asking, client
from cli.options import json_option, load_policy, policy_option
from cli.plans import Plans
from cli.printing import print_json, tell
from cli.stack import Connect, ledger_table, prune_queue
from warden.actions import Action, ActionKind, Deed, Result
from warden.errors import Unavailable
from warden.names import RepositoryName
from warden.policy import Policy

if TYPE_CHECKING:
    from warden.ledger import Ledger
    from warden.registry import Registry

Prune = Callable[[RepositoryName], None]


@click.command("apply", short_help="Bring repositories to their standard.")
@click.argument("patterns", metavar="[GLOB]...", nargs=-1)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--stage", default="dev", show_default=True, help="The deployed stage whose ledger is written.")
@click.option("--table", help="The ledger's table; found by the stage's stack where none is given.")
@policy_option
@json_option
def command(
    patterns: tuple[str, ...], yes: bool, stage: str, table: str | None, policy_path: Path, as_json: bool
) -> None:
    """Show the plan, ask, and carry it out; what was done is written to the ledger.

    GLOB is a repository's name, in which * stands for any characters; all repositories where none is given. Only what
    the policy has in `enforce` mode is changed. A repository that is no longer as the plan was made for is left alone.
    """
    policy = load_policy(policy_path)
    registry = plans.registry_of(client)
    found = plans.gather(registry, policy, patterns)
    for pattern in found.unmatched:
        tell(f"No repository matches {pattern}.")
    if not as_json:
        plans.show(found)
    deeds: list[Deed] = []
    left: list[str] = []
    if found.enforceable:
        _ask(yes, len(found.enforceable))
        ledger = _ledger(table or ledger_table(stage, client))
        by = _caller(client)
        for repository, done in carry_out_all(
            found,
            registry,
            ledger,
            policy,
            _pruning(stage),
            event=f"apply {uuid.uuid4().hex[:12]}",
            at=datetime.now(UTC),
            by=by,
        ):
            if isinstance(done, str):
                left.append(f"{repository} {done}")
            else:
                deeds += done
    _tell(deeds, left, as_json=as_json)
    if left or any(deed.result is Result.REFUSED for deed in deeds):
        raise click.exceptions.Exit(1)


def carry_out_all(
    found: Plans,
    registry: "Registry",
    ledger: "Ledger",
    policy: Policy,
    prune: Prune,
    *,
    event: str,
    at: datetime,
    by: str,
) -> Iterator[tuple[str, Sequence[Deed] | str]]:
    """What was done to each repository, or why it was left alone; one that fails does not stop the next.

    `prune` asks the prune function for a repository's turn: lifecycle policies are put by its gate alone.
    """
    from warden.enforcement import carry_out  # noqa: PLC0415
    from warden.observing import observe  # noqa: PLC0415

    for repository in plans.progress(found.repositories, len(found.repositories), "applying"):
        done: Sequence[Deed] | str = "is no longer as it was planned for: plan again"
        try:
            with asking("bring it to its standard"):
                observed = observe(registry, policy, repository)
                now = plans.whole_plan(observed) if observed else ()
                if now == found.of(repository):
                    ours = [action for action in now if action.kind is not ActionKind.PUT_LIFECYCLE_POLICY]
                    done = [
                        *carry_out(ours, registry.apply, ledger, event=event, at=at, by=by),
                        *(_hand_over(action, prune) for action in now if action not in ours),
                    ]
        except Unavailable as trouble:
            done = f"was left as it is: {trouble}"
        yield repository, done


def _hand_over(action: Action, prune: Prune) -> Deed:
    if not plans.is_enforceable(action):
        return Deed(action, Result.REPORTED)
    prune(action.repository)
    return Deed(action, Result.HANDED_OVER)


def _pruning(stage: str) -> Prune:
    """Asks the deployed prune function; its queue is looked for when it is first needed."""
    from warden import prune_events  # noqa: PLC0415
    from warden.events import Home  # noqa: PLC0415

    @cache
    def place() -> tuple[str, Home]:
        sts: Any = client("sts")
        with asking("learn who this is"):
            return prune_queue(stage, client), Home(sts.get_caller_identity()["Account"], sts.meta.region_name)

    def ask(repository: RepositoryName) -> None:
        url, home = place()
        body = prune_events.repository_due("", repository, at=datetime.now(UTC), home=home)
        client("sqs").send_message(QueueUrl=url, MessageBody=body)

    return ask


def _ask(yes: bool, count: int) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException("nobody is here to be asked: look at `warden plan`, then give --yes")
    click.confirm(f"Carry out {count} {'change' if count == 1 else 'changes'}?", abort=True, err=True)


def _ledger(table: str) -> "Ledger":
    from warden.ledger import Ledger  # noqa: PLC0415

    return Ledger(client("dynamodb"), table)


def _caller(connect: Connect) -> str:
    sts: Any = connect("sts")
    with asking("learn who this is"):
        return str(sts.get_caller_identity()["Arn"])


def _tell(deeds: Sequence[Deed], left: Sequence[str], *, as_json: bool) -> None:
    for line in left:
        tell(line)
    if as_json:
        done = [{**plans.as_json(deed.action), "result": str(deed.result), "refusal": deed.reason} for deed in deeds]
        print_json({"deeds": done, "left": list(left)})
        return
    for deed in deeds:
        if deed.result is Result.REFUSED:
            tell(f"{deed.action.repository}: {deed}")
    count = sum(deed.result is Result.DONE for deed in deeds)
    click.echo(f"{count} {'change was' if count == 1 else 'changes were'} made.")
    if handed := sum(deed.result is Result.HANDED_OVER for deed in deeds):
        which = "1 lifecycle policy" if handed == 1 else f"{handed} lifecycle policies"
        click.echo(f"{which} went to the prune function, which asks ECR for a preview first.")
