"""The CDK application: a policy and a stage in, one stack out. `cdk deploy -c stage=prod -c policy=warden.yaml`."""

import os
import sys

import aws_cdk as cdk

from infra.application import build
from infra.bundling import BundlingError
from infra.stage import StageError
from policy import PolicyError


def main() -> int:
    """Synthesise; exit code 1, and nothing synthesised, where what was given is not right."""
    app = cdk.App()
    try:
        build(app, os.environ)
    except (PolicyError, StageError, BundlingError) as error:
        print(error, file=sys.stderr)
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
