"""The CDK application: a policy and a stage in, one stack out. `cdk deploy -c stage=prod -c policy=warden.yaml`."""

import os
import sys
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

import policy
from infra.bundling import BundlingError
from infra.warden_stack import WardenStack


def main() -> int:
    """Synthesise; exit code 1, and nothing synthesised, where the policy is not right."""
    app = cdk.App()

    def context(name: str, otherwise: str | None = None) -> str | None:
        value = app.node.try_get_context(name)
        return otherwise if value is None else str(value)

    stage = str(context("stage", "dev"))
    try:
        loaded = policy.load(Path(str(context("policy", "warden.yaml"))))
        WardenStack(
            app,
            f"EcrWarden-{stage}",
            stage=stage,
            compiled=loaded.compiled,
            alarm_topic_arn=context("alarm_topic_arn"),
            env=cdk.Environment(
                account=context("account", os.environ.get("CDK_DEFAULT_ACCOUNT")),
                region=context("region", os.environ.get("CDK_DEFAULT_REGION")),
            ),
            description="ECR Warden keeps this account's container registry to a written standard",
        )
    except (policy.PolicyError, BundlingError) as error:
        print(error, file=sys.stderr)
        return 1
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
