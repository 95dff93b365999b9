"""`warden lifecycle simulate`: what a lifecycle policy would do to images, by ECR's own semantics and without ECR."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.lifecycle_files import load_images, load_policy, read_time
from cli.options import EXISTING
from cli.printing import LONGEST_CELL, print_json, tell
from warden.lifecycle.evaluation import Taken, evaluate
from warden.lifecycle.rules import RuleAction
from warden.lifecycle.validation import complaints, read
from warden.text import clean

if TYPE_CHECKING:
    from warden.lifecycle.rules import Rule


@click.command("simulate", short_help="Print what a lifecycle policy would do to images.")
@click.option(
    "--policy", "policy_path", type=EXISTING, required=True, help="A lifecycle policy of ECR's as JSON; - for stdin."
)
@click.option(
    "--images", "images_path", type=EXISTING, required=True, help="The JSON of `aws ecr describe-images`; - for stdin."
)
@click.option("--now", metavar="ISO8601", help="When: UTC where it names no zone. Now where it is not given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, which it does anyway.")
def command(policy_path: Path, images_path: Path, now: str | None, as_json: bool) -> None:  # noqa: ARG001
    """Print which images a lifecycle policy would expire and archive, each with the priority of the rule.

    What ECR evaluates is evaluated here, and nothing is asked of AWS. The policy may also be the answer of `aws ecr
    get-lifecycle-policy`. Give all images, archived ones too: `aws ecr describe-images --filter imageStatus=ANY`, and
    to an index `"manifests"`, the digests of what it lists; without them it protects nothing. A signature or another
    reference artifact that goes with its subject has no rule of its own; `follows` is the subject then. The oldest
    image comes first, an index before what it lists.
    """
    if str(policy_path) == str(images_path) == "-":
        raise click.UsageError("only one of --policy and --images can come from stdin")
    at = datetime.now(UTC) if now is None else read_time(now)
    if at is None:
        raise click.UsageError(f"--now: expected a time such as 2026-11-23T12:00:00Z, got {clean(str(now), 60)}")
    rules = _rules(policy_path)
    images = load_images(images_path)
    taken = evaluate(rules, images, at)
    expired = [each for each in taken if each.action is RuleAction.EXPIRE]
    archived = [each for each in taken if each.action is RuleAction.TRANSITION]
    print_json({"expired": _as_json(expired), "archived": _as_json(archived)})
    tell(f"Of {len(images)} images {len(expired)} would be expired and {len(archived)} archived at {at.isoformat()}.")


def _rules(path: Path) -> "tuple[Rule, ...]":
    text = load_policy(path)
    if found := complaints(text):
        lines = "".join(f"\n  {complaint}" for complaint in found)
        raise click.ClickException(
            f"{clean(str(path), LONGEST_CELL)}: ECR takes no such lifecycle policy; {len(found)} to put right{lines}"
        )
    return read(text)


def _as_json(taken: Iterable[Taken]) -> list[dict[str, Any]]:
    return [
        {"imageDigest": each.image.digest, "imageTags": list(each.image.tags), "rulePriority": each.priority}
        | ({} if each.priority is not None else {"follows": each.image.subject})
        for each in taken
    ]
