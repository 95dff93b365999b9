"""Sixty repositories and three thousand images, some of them running: what leaves is what was said, and nothing else.

The tests go one after the other through the life of one registry: a sweep, what ECR does then, another sweep, a day on
which it can't be known what runs, and the day after it.
"""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from local.chat import Chat
from local.demo.__main__ import deploy, free_port
from local.demo.surroundings import STAGE, an_account, eventually
from tests.e2e.cloud import Cloud
from tests.e2e.sixty_repositories import (
    COUNTS,
    EACH,
    POLICY,
    USES,
    Image,
    Registry,
    World,
    fill,
    kind_of,
    look,
    names,
)

pytestmark = pytest.mark.e2e

PATIENCE = 400.0
REFUSED_KINDS = ("capped", "sealed")
ENFORCED = tuple(name for name in names() if kind_of(name) in {"app", "gone", "direct"})
CHANGES = {"PutLifecyclePolicy", "DeleteLifecyclePolicy", "PutImage", "BatchDeleteImage", "UpdateImageStorageClass"}
LIST_CLUSTERS = "AmazonEC2ContainerServiceV20141113.ListClusters"
LEASE = "warden.keep-"
AT_RISK = {"app": USES, "gone": USES, "direct": ("a platform",)}
"""Uses of images that some rule of ECR's could take; from its own rules the warden keeps them without a lease."""

Going = Mapping[str, Mapping[str, str]]
"""By repository and digest, what becomes of an image: EXPIRE or TRANSITION."""


@dataclass
class Life:
    """The deployed stack, the registry as it was before, and what the tests remember of one another."""

    cloud: Cloud
    world: World
    before: Registry
    said: Going = field(default_factory=dict)
    after: Registry = field(default_factory=dict)

    @property
    def ecr(self) -> Any:
        """The registry."""
        return self.cloud.ecr

    def items(self, prefix: str) -> list[dict[str, Any]]:
        """What the ledger's table holds under keys that begin so."""
        pages = (
            self.cloud.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.cloud.outputs["LedgerTable"],
                FilterExpression="begins_with(pk, :prefix)",
                ExpressionAttributeValues={":prefix": {"S": prefix}},
            )
        )
        return [item for page in pages for item in page["Items"]]

    def reports(self, sweep: str = "") -> dict[str, dict[str, Any]]:
        """What came of each repository in a sweep, as the ledger has it."""
        return {
            item["sk"]["S"]: json.loads(zlib.decompress(item["report"]["B"])) for item in self.items(f"pruned#{sweep}")
        }

    def sweep(self) -> dict[str, dict[str, Any]]:
        """A sweep from its beginning to the last repository; what came of each."""
        at = datetime.now(UTC).replace(microsecond=0)
        body = json.dumps({"source": "warden", "detail-type": "Sweep", "time": at.isoformat()})
        self.cloud.sqs.send_message(QueueUrl=self.cloud.outputs["SweepQueue"], MessageBody=body)
        return self.wait_for_reports(at.isoformat())

    def wait_for_reports(self, sweep: str = "") -> dict[str, dict[str, Any]]:
        """What came of each repository, as soon as all are through."""
        wait_for(lambda: len(self.items(f"pruned#{sweep}")) == sum(COUNTS.values()), "not all repositories were pruned")
        return self.reports(sweep)

    def calls(self, function: str, since: int) -> list[dict[str, str]]:
        """What the function has asked of ECR."""
        return [call for call in self.cloud.account.all_calls(since) if function in call["caller"]]

    def policy(self, name: str) -> str | None:
        """The lifecycle policy that stands."""
        try:
            return str(self.ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
        except self.ecr.exceptions.LifecyclePolicyNotFoundException:
            return None

    def previewed(self, name: str) -> dict[str, str]:
        """What ECR says that the policy that stands does, asked for by ourselves."""
        self.ecr.start_lifecycle_policy_preview(repositoryName=name)
        self.ecr.get_waiter("lifecycle_policy_preview_complete").wait(
            repositoryName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        pages = self.ecr.get_paginator("get_lifecycle_policy_preview").paginate(repositoryName=name)
        return {row["imageDigest"]: row["action"]["type"].upper() for page in pages for row in page["previewResults"]}

    def run_lifecycles(self, *, days: float = 0) -> None:
        """Let ECR do what the policies say, as it does within 24 hours; or what they say so many days later."""
        now = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        for name in names():
            if self.policy(name):
                self.cloud.control(f"lifecycle/{name}", {"now": now})

    def protected(self, name: str) -> set[str]:
        """What must live, worked out without the warden: what runs, what is tagged so, and all their parts."""
        tagged = {
            image.digest for image in self.before[name].values() if any(tag.startswith("prod-") for tag in image.tags)
        }
        return self.world.parts_of(name, self.world.used[name] | tagged)


def wait_for(look: Callable[[], Any], what: str) -> None:
    assert eventually(look, PATIENCE), what


def changed(before: Registry, after: Registry) -> dict[str, dict[str, str]]:
    """What became of images between two looks: EXPIRE or TRANSITION."""
    found: dict[str, dict[str, str]] = {}
    for name, images in before.items():
        for digest, image in images.items():
            now = after[name].get(digest)
            if now is None or (now.archived and not image.archived):
                found.setdefault(name, {})[digest] = "EXPIRE" if now is None else "TRANSITION"
    return found


def _unleased(image: Image) -> Image:
    return replace(image, tags=tuple(tag for tag in image.tags if not tag.startswith(LEASE)))


def merged(*parts: Going) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for part in parts:
        for name, images in part.items():
            if images:
                found.setdefault(name, {}).update(images)
    return found


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    with Chat() as chat, an_account(free_port(), chat) as account:
        world = fill(account)
        before = look(account.ecr)
        assert [len(before[name]) for name in names()] == [EACH] * sum(COUNTS.values())
        yield Life(Cloud(account, deploy(account, POLICY)), world, before)


def test_the_first_sweep_leases_what_runs_and_puts_the_policies(life: Life) -> None:
    reports = life.wait_for_reports()

    results = Counter((kind_of(name), report["result"]) for name, report in reports.items())
    whys = Counter(str([why["why"], *why["missing"]]) for report in reports.values() for why in report["refusals"])
    print(f"\n{results}\n{whys}")
    assert {kind for kind, result in results if result == "refused"} == set(REFUSED_KINDS)
    assert {kind for kind, result in results if result == "would leave"} == {"report"}
    for name in ENFORCED:
        assert reports[name]["result"] == "leaves", (name, reports[name]["refusals"])
    now = look(life.ecr)
    for name in ENFORCED:
        for digest in life.world.used[name] if life.world.uses[name] in AT_RISK[kind_of(name)] else ():
            assert any(tag.startswith(LEASE) for tag in now[name][digest].tags), (name, life.world.uses[name])
    puts = Counter(call["repository"] for call in life.calls("Prune", 0) if call["operation"] == "PutLifecyclePolicy")
    assert puts == Counter(ENFORCED)


def test_every_policy_was_previewed_before_it_was_put(life: Life) -> None:
    calls = life.calls("Prune", 0)
    for name in ENFORCED:
        mine = [call["operation"] for call in calls if call["repository"] == name]
        put = mine.index("PutLifecyclePolicy")
        assert "StartLifecyclePolicyPreview" in mine[:put], name
        assert "GetLifecyclePolicyPreview" in mine[:put], name
        if "PutImage" in mine:
            last_lease = max(number for number, operation in enumerate(mine) if operation == "PutImage")
            assert last_lease < mine.index("StartLifecyclePolicyPreview"), "leases come before ECR is asked"


def test_what_may_not_leave_is_refused_and_told(life: Life) -> None:
    """More than the cap, an index that nobody has read, and report mode: nothing of it leaves; leases only spare."""
    reports, now = life.reports(), look(life.ecr)
    text = life.cloud.message_about("capped/00")
    assert "may: lifecycle.caps.percent" in text
    assert "sealed/00" in "".join(life.cloud.messages())
    (why,) = [refusal["why"] for refusal in reports["capped/00"]["refusals"]]
    assert "5 % may" in why
    for name in names():
        if name not in ENFORCED:
            assert life.policy(name) is None, name
            assert {digest: _unleased(image) for digest, image in now[name].items()} == life.before[name], name
    assert now["report/00"] == life.before["report/00"]


def test_what_ecr_does_is_what_its_preview_and_the_ledger_said(life: Life) -> None:
    ledger: dict[str, dict[str, str]] = {}
    for item in life.items("leaving#"):
        repository, action = item["pk"]["S"].removeprefix("leaving#"), item["action"]["S"].upper()
        ledger.setdefault(repository, {})[item["sk"]["S"]] = action
    direct = changed(life.before, look(life.ecr))
    previews = {name: life.previewed(name) for name in ENFORCED if life.policy(name)}

    life.run_lifecycles()

    life.after = look(life.ecr)
    life.said = changed(life.before, life.after)
    assert {kind_of(name) for name in direct} == {"direct"}, "the warden takes by itself only what ECR has no rule for"
    assert life.said == merged(previews, direct)
    for name in ENFORCED:
        assert life.said[name] == ledger[name], name


def test_everything_that_must_live_is_there(life: Life) -> None:
    for name in names():
        for digest in life.protected(name):
            image = life.after[name][digest]
            assert not image.archived, (name, life.world.uses[name], image)
        lists = life.world.lists(name)
        for digest, children in lists.items():
            index = life.after[name].get(digest)
            if index and not index.archived:
                assert all(not life.after[name][child].archived for child in children), (name, digest)
    _print_table(life)


def test_what_the_warden_reads_is_no_pull(life: Life) -> None:
    """Else no rule on what nobody pulls would ever take an image that the warden looks at."""
    for name in names():
        for digest, image in life.after[name].items():
            assert image.pulled_at == life.before[name][digest].pulled_at, (name, image)


def test_the_ledger_says_by_which_rule_each_image_has_left(life: Life) -> None:
    count = sum(map(len, life.said.values()))
    wait_for(lambda: len(_left(life)) == count, f"of {count} images, the history of {len(_left(life))} says so")
    left = _left(life)
    assert set(left) == {f"{name}@{digest}" for name, images in life.said.items() for digest in images}
    assert all("warden.yaml" in text for text in left.values()), Counter(left.values())
    for name in ("app/00", "gone/00", "direct/00"):
        digest = next(iter(life.said[name]))
        code, said = life.cloud.account.warden("why", f"{name}@{digest}", "--stage", STAGE, "--json")
        assert code == 0
        assert left[f"{name}@{digest}"] in [entry["text"] for entry in json.loads(said)]


def _left(life: Life) -> dict[str, str]:
    items = [item for item in life.items("history#") if item["kind"]["S"] == "left"]
    return {item["pk"]["S"].removeprefix("history#"): item["text"]["S"] for item in items}


def test_a_second_sweep_changes_nothing(life: Life) -> None:
    """One service has ended since then: its image keeps its lease for the days of grace."""
    ecs, ended = life.cloud.client("ecs"), "app/00"
    assert life.world.uses[ended] == "an old image"
    ecs.update_service(cluster="shop", service="app-00", desiredCount=0)
    ecs.delete_service(cluster="shop", service="app-00")
    since = len(life.cloud.account.all_calls())

    reports = life.sweep()

    writes = Counter(call["operation"] for call in life.calls(":role/", since) if call["operation"] in CHANGES)
    assert writes == {}
    assert {name: reports[name]["refusals"] for name in ENFORCED if reports[name]["refusals"]} == {}
    assert {name for name in ENFORCED if reports[name]["leaving"]} == set()
    assert {name: len(reports[name]["left"]) for name in life.said} == {
        name: len(images) for name, images in life.said.items()
    }
    (digest,) = life.world.used[ended]
    assert any(tag.startswith(LEASE) for tag in look(life.ecr)[ended][digest].tags)


def test_nothing_leaves_as_long_as_it_is_not_known_what_runs(life: Life) -> None:
    """The policies that stand would go on without us: each is replaced by one that takes nothing."""
    standing = {name: life.policy(name) for name in ENFORCED}
    life.cloud.control("failures", {"operation": LIST_CLUSTERS, "code": "AccessDeniedException", "count": 10_000})

    reports = life.sweep()

    assert {name: reports[name]["result"] for name in ENFORCED} == dict.fromkeys(
        ENFORCED, "refused, and the policy that was there is suspended"
    )
    assert "ECS" in reports["app/00"]["refusals"][0]["missing"][0]
    before = look(life.ecr)
    life.run_lifecycles(days=1000)
    assert changed(before, look(life.ecr)) == {}
    assert life.cloud.message_about("what runs is not known")

    life.cloud.control("failures", {"operation": LIST_CLUSTERS, "code": "AccessDeniedException", "count": 0})
    life.sweep()
    assert {name: life.policy(name) for name in ENFORCED} == standing
    assert life.cloud.dead_letters() == {}


def _print_table(life: Life) -> None:
    table = Table(title="before and after", title_justify="left", pad_edge=False)
    for heading in ("repositories", "", "images", "running", "must live", "archived", "deleted", "after", "alive"):
        table.add_column(heading, justify="left" if heading == "repositories" else "right")
    total: Counter[str] = Counter()
    for kind, count in COUNTS.items():
        row: Counter[str] = Counter()
        for name in (each for each in names() if kind_of(each) == kind):
            row += _counted(life, name)
        total += row
        table.add_row(f"{kind}/*", str(count), *(str(row[column]) for column in _COLUMNS))
    table.add_row("all", str(sum(COUNTS.values())), *(str(total[column]) for column in _COLUMNS), style="bold")
    Console(width=120).print(table)
    assert total["alive"] == total["must live"]


_COLUMNS = ("images", "running", "must live", "archived", "deleted", "after", "alive")


def _counted(life: Life, name: str) -> Counter[str]:
    actions = Counter(life.said.get(name, {}).values())
    protected = life.protected(name)
    return Counter(
        {
            "images": len(life.before[name]),
            "running": len(life.world.used[name]),
            "must live": len(protected),
            "archived": actions["TRANSITION"],
            "deleted": actions["EXPIRE"],
            "after": len(life.after[name]),
            "alive": sum(digest in life.after[name] and not life.after[name][digest].archived for digest in protected),
        }
    )
