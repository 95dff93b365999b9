"""On which release repositories, and by which roles, the promote function may write, as the policy says."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.functions import FUNCTIONS
from infra.grants import Resource, promotes, promotion_roles, release_repositories

ROLE = "arn:aws:iam::444455556666:role/ecr-warden-promotion"
NOTHING = {"to": None, "mode": "enforce", "region": "", "role": ""}


def compiled(*rules: Mapping[str, Any], **defaults: Any) -> Mapping[str, Any]:
    """As much of a compiled policy as says something of promotion."""

    def fields(values: Mapping[str, Any]) -> dict[str, Any]:
        return {f"promote.{name}": [value, "warden.yaml:1"] for name, value in values.items()}

    return {"defaults": fields({**NOTHING, **defaults}), "rules": [{"fields": fields(rule)} for rule in rules]}


@pytest.mark.parametrize(
    ("policy", "resources", "roles"),
    [
        (compiled(), [], []),
        (compiled(to="release/{name}"), [Resource("repository/release/*")], []),
        (compiled({"to": "golden"}), [Resource("repository/golden")], []),
        (compiled({"to": "a/{name}"}, {"to": "b"}), [Resource("repository/a/*"), Resource("repository/b")], []),
        (
            compiled({"to": "a", "region": "eu-west-1"}),
            [Resource("repository/a", "eu-west-1")],
            [],
        ),
        (
            compiled({"region": "eu-west-1"}, to="a"),
            [Resource("repository/a", ""), Resource("repository/a", "eu-west-1")],
            [],
        ),
        (compiled({"to": "a", "role": ROLE}), [], [Resource(ROLE)]),
        (compiled({"role": ROLE}, to="a"), [Resource("repository/a")], [Resource(ROLE)]),
    ],
)
def test_the_function_writes_where_the_policy_promotes_to_and_nowhere_else(
    policy: Mapping[str, Any], resources: list[Resource], roles: list[Resource]
) -> None:
    assert list(release_repositories(policy)) == resources
    assert list(promotion_roles(policy)) == roles


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        (compiled(), False),
        (compiled(to="a"), True),
        (compiled(to="a", mode="report"), False),
        (compiled({"to": "a"}, mode="report"), False),
        (compiled({"to": "a", "mode": "enforce"}, mode="report"), True),
    ],
)
def test_the_function_may_write_only_where_promotion_is_enforced(policy: Mapping[str, Any], wanted: bool) -> None:
    assert promotes(policy) is wanted
    (spec,) = (spec for spec in FUNCTIONS if spec.name == "promote")
    sids = {permission.sid for permission in spec.under(policy).ecr}
    assert ("Release" in sids) is wanted
    assert {"ReadTags", "ReadImages"} <= sids
