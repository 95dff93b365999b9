"""What each function may do, on what, and why, out of the template: `python -m infra.iam_table` writes docs/iam.md."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.application import synthesise
from infra.house_rules import listed, name_in
from infra.permissions import WHY

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "iam.md"
HEAD = """\
# What each function may do

Generated from the template that `cdk synth` writes, by `python -m infra.iam_table`; a test compares the two. Every role
has this one policy and no managed ones, and lies under the path `/ecr-warden/<stage>/`.

`repository/*` are all repositories of the stack's account and region: which of them are changed, and whether any is,
says `warden.yaml`. `*` stands only where IAM knows no resource: X-Ray, the registry's scanning configuration, and
listings of what there is.
Other policies need a little more, each where they ask for it: `owners`, and a lifecycle rule with a `label`, the blobs
with images' labels (`GetDownloadUrlForLayer`), `findings.epss_from` Inspector's `ListFindings`, a channel of type `sns`
`Publish` on its topic, enforced access, enforced lifecycle and tags that are put back the calls that do so.
Where promotion is enforced, `promote` reads layers and writes to the release repositories, and to no other;
`promote.role` is assumed. Where quarantine is enforced, it moves tags and puts its statement into repositories'
policies. The sweep has `DeleteRepository` where `empty` is enforced.
`lifecycle.protect.in_use` and `quarantine.by` ask each of `inventory.sources` what is in use, `inventory.roles` are
assumed, and `inventory.functions` invoked.
"""
WITHOUT_ASSET = {"aws:cdk:bundling-stacks": []}
PARAMETERS = {"AWS::Partition": "aws", "AWS::Region": "<region>", "AWS::AccountId": "<account>"}


def template() -> Mapping[str, Any]:
    """The template of the default stage and policy, for no account or region in particular."""
    with tempfile.TemporaryDirectory() as directory:
        assembly = synthesise(Path(directory), **WITHOUT_ASSET)
        return assembly.stacks[0].template


def page(content: Mapping[str, Any]) -> str:
    """The page, as Markdown, for a template."""
    resources: Mapping[str, Any] = content["Resources"]
    policies = [resource for resource in resources.values() if resource["Type"] == "AWS::IAM::Policy"]
    return HEAD + "".join(_section(policy, resources) for policy in policies)


def _section(policy: Mapping[str, Any], resources: Mapping[str, Any]) -> str:
    role = resources[policy["Properties"]["Roles"][0]["Ref"]]["Properties"]
    title = _path(policy).removesuffix("/Permissions")
    purpose = role["Description"].removeprefix("ECR Warden: ")
    lines = ["", f"## {title}", "", f"It {purpose}.", "", "| actions | on | for |", "| --- | --- | --- |"]
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        actions = ", ".join(f"`{action}`" for action in listed(statement["Action"]))
        on = ", ".join(f"`{_resource(resource, resources)}`" for resource in listed(statement["Resource"]))
        lines.append(f"| {actions} | {on} | {policy['Metadata'][WHY][statement['Sid']]} |")
    return "\n".join([*lines, ""])


def _resource(reference: object, resources: Mapping[str, Any]) -> str:
    """As a reader knows it: a construct of this stack by its path, anything else by its ARN."""
    if name := name_in(reference):
        return _path(resources[name])
    return "".join(_texts(reference))


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case {"Ref": str(parameter)}:
            yield PARAMETERS[parameter]
        case {"Fn::Join": ["", list(parts)]}:
            for part in parts:
                yield from _texts(part)
        case _:
            raise ValueError(f"don't know how to print {value}")


def _path(resource: Mapping[str, Any]) -> str:
    _, _, path = resource["Metadata"]["aws:cdk:path"].partition("/")
    return path.removesuffix("/Resource")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(template()), "utf-8")
    print(f"wrote {PAGE.relative_to(PROJECT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
