"""The CDK application: context in, one stack out, held to cdk-nag's rules and our own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.cx_api import CloudAssembly
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

import policy
from infra.house_rules import HouseRules
from infra.stage import Stage
from infra.warden_stack import WardenStack

CDK_JSON = Path(__file__).parents[1] / "cdk.json"


def build(app: cdk.App, environment: Mapping[str, str]) -> WardenStack:
    """The stack that the context asks for: `stage`, `policy`, `account`, `region`, `alarm_topic_arn`.

    `environment` has the account and region of the caller's credentials, which the CDK command puts there.
    Raises PolicyError, StageError and BundlingError, each with a text for people.
    """

    def context(name: str) -> str | None:
        value = app.node.try_get_context(name)
        return None if value is None else str(value)

    stage = Stage(context("stage") or "dev")
    loaded = policy.load(Path(context("policy") or "warden.yaml"))
    stack = WardenStack(
        app,
        stage=stage,
        compiled=loaded.compiled,
        alarm_topic_arn=context("alarm_topic_arn"),
        env=cdk.Environment(
            account=context("account") or environment.get("CDK_DEFAULT_ACCOUNT"),
            region=context("region") or environment.get("CDK_DEFAULT_REGION"),
        ),
        description="ECR Warden keeps this account's container registry to a written standard",
    )
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app), HouseRules())
    return stack


def synthesise(directory: Path, **context: Any) -> CloudAssembly:
    """Synthesise like the CDK command, with the context in cdk.json, into an empty directory.

    Raises what `build` does, and RuntimeError where a rule is broken; validation-report.json says which.
    """
    given = json.loads(CDK_JSON.read_text("utf-8"))["context"] | {"aws:cdk:enable-path-metadata": True} | context
    app = cdk.App(outdir=str(directory), context=given)
    build(app, {})
    return app.synth()
