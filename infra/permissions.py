"""A role and what it may do, each statement with its reason."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.stage import Stage

WHY = "Why"
"""Under this name a policy's metadata in the template gives the reason of each statement, by its Sid."""


class Permissions(iam.Policy):
    """The policy of a role of its own, which takes permissions from nowhere else; `role` is what others refer to.

    What needs the permissions depends on this construct, so that it is not there before them.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: str,
        conditions: Mapping[str, Any] | None = None,
        stage: Stage,
        purpose: str,
    ) -> None:
        """The role of an AWS service, under the stage's own path; `purpose` describes it."""
        principal = iam.ServicePrincipal(service, conditions=conditions)
        role = iam.Role(
            scope,
            "Role",
            path=stage.role_path,
            assumed_by=principal,  # pyright: ignore[reportArgumentType] - jsii
            description=f"ECR Warden: {purpose}",
        )
        super().__init__(scope, id, roles=[role])  # pyright: ignore[reportArgumentType] - jsii
        self.role = role.without_policy_updates()
        self._why: dict[str, str] = {}

    def allow(self, sid: str, service: str, actions: Iterable[str], resources: Iterable[str], *, why: str) -> None:
        """Allow the actions of one service on the resources."""
        self.add_statements(
            iam.PolicyStatement(
                sid=sid, actions=[f"{service}:{action}" for action in actions], resources=list(resources)
            )
        )
        self._why[sid] = why
        cast("CfnResource", self.node.default_child).add_metadata(WHY, self._why)
