"""`make demo`: deploys to the local cloud, pushes images, and says what held.

Exit code 0 only if every step ended as expected.
"""

import argparse
import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from local.chat import Chat
from local.demo.scenario import Mission
from local.demo.steps import Seen, Step
from local.demo.surroundings import ACCOUNT, BUILD, REGION, STAGE, Account, Failed, an_account, cdk

POLICY = """\
version: 1
mode: enforce
defaults:
  tags:      {{immutability: IMMUTABLE_WITH_EXCLUSION, exclude: ["latest"], moves: put_back}}
  scanning:  {{on_push: true}}
  findings:  {{notify_from: HIGH, block_from: CRITICAL}}
  lifecycle:
    mode: enforce
    action: archive
    rules:
      - {{expire: untagged, after: 7d}}
  access:    {{mode: enforce, forbid_public: true}}
  empty:     {{mode: enforce, after: 90d}}
  channels: [platform]
rules:
  - match: "payments/*"           # ECR does not scan these pushes by itself: the warden starts each scan
    scanning: {{mode: report}}
  - match: "shop/*"               # old images really go: what runs, and what is tagged prod-…, never does
    lifecycle:
      action: delete
      rules: [{{expire: untagged, after: 7d}}, {{keep: 2, of: "v*"}}]
      protect: {{in_use: true, tags: ["prod-*"]}}
      caps: {{percent: 80}}
  - match: "staging/*"            # what passes is copied to its release repository, what blocks loses its tags
    promote: {{to: "release/{{name}}", tags: ["v*"]}}
    quarantine: {{mode: enforce, by: tags}}
  - match: "vault/*"              # what blocks can't be pulled but by those who look into it
    quarantine: {{mode: enforce, by: pull, break_glass: ["arn:aws:iam::111122223333:role/forensics"]}}
  - match: {{tag: {{pruning: by-hand}}}}
    lifecycle: {{rules: []}}
inventory: {{sources: [ecs, lambda]}}
channels:
  platform: {{type: slack, secret: warden/slack-platform, hosts: ["127.0.0.1:{port}"]}}
"""

console = Console(highlight=False, stderr=True)


def main() -> int:
    """Run the demo; give its exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the local cloud; any that is free by default")
    parser.add_argument("--keep", action="store_true", help="stay up, with a page that shows the chat")
    arguments = parser.parse_args()
    rows: list[tuple[Step, Seen]] = []
    try:
        with Chat() as chat, an_account(arguments.port or free_port(), chat) as account:
            account.ecr.create_repository(repositoryName="legacy/api")
            outputs = deploy(account, POLICY)
            for step in Mission(account, outputs).steps():
                with _progress(step.name):
                    rows.append((step, _run(step)))
            show(rows)
            if arguments.keep:
                _stay(account)
    except Failed as failure:
        console.print(f"[red]{failure}", markup=True)
        return 1
    return 0 if rows and all(seen.ok for _, seen in rows) else 1


def deploy(account: Account, text: str) -> dict[str, str]:
    """Prepare the account as its owner would, and deploy; give the stack's outputs.

    `text` is the policy, with `{port}` where the chat's port has to stand.
    """
    policy, outputs = BUILD / "warden.yaml", BUILD / "outputs.json"
    policy.write_text(text.format(port=account.chat.port))
    account.put_secret("warden/slack-platform", account.chat.url)
    context = ["-c", f"stage={STAGE}", "-c", f"policy={policy}", "-c", f"region={REGION}", "-c", f"account={ACCOUNT}"]
    with _progress("cdk bootstrap"):
        cdk(account, "bootstrap", f"aws://{ACCOUNT}/{REGION}", *context)
    with _progress("cdk deploy"):
        cdk(account, "deploy", "--all", "--require-approval", "never", "--outputs-file", str(outputs), *context)
    (stack,) = json.loads(outputs.read_text()).values()
    found: dict[str, str] = stack
    return found


def show(rows: list[tuple[Step, Seen]]) -> None:
    """The table, on stdout."""
    table = Table(title="ECR Warden on the local cloud", title_justify="left", show_lines=False, pad_edge=False)
    for heading in ("step", "expected", "observed", "push to message", ""):
        table.add_column(heading, overflow="fold")
    for step, seen in rows:
        seconds = "" if seen.seconds is None else f"{seen.seconds:.1f} s"
        table.add_row(step.name, step.expected, seen.text, seconds, "ok" if seen.ok else "NOT OK", style=_style(seen))
    out = Console(highlight=False, width=max(console.width, 150), markup=False)
    out.print(table)
    held = sum(seen.ok for _, seen in rows)
    out.print(f"{held} of {len(rows)} steps held.")


def _style(seen: Seen) -> str:
    return "" if seen.ok else "bold red"


def _run(step: Step) -> Seen:
    try:
        return step.run()
    except Exception as error:  # noqa: BLE001 - a step that breaks is a row that says so; the others still run
        return Seen(f"{type(error).__name__}: {error}", ok=False)


def _stay(account: Account) -> None:
    console.print(f"\nThe chat: {account.chat.page}\nThe cloud: {account.endpoint} (Ctrl-C ends both)")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopped.")


@contextmanager
def _progress(what: str) -> Iterator[None]:
    start = time.monotonic()
    with console.status(what):
        yield
    console.print(f"  {what}  [dim]{time.monotonic() - start:.1f} s", highlight=False)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
