"""The local cloud: AWS on 127.0.0.1 with a faithful ECR, to deploy to and to push images to.

    python -m local.cloud --port 4566 --account 111122223333 --region eu-central-1

prints one line when it is ready and runs until SIGTERM or SIGINT. Work with it as the account's root:

    export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=eu-central-1
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

Then `cdk bootstrap` and `cdk deploy` work, and every function runs in a process of its own, by this machine's Python,
with the session of its execution role: what the role doesn't allow is denied. Images are pushed to 127.0.0.1:4566,
over http, with the user `AWS` and the password of GetAuthorizationToken. `local/emulator/controls.py` lists the
control endpoints.
"""

import argparse
import re
import sys
from pathlib import Path

from local.emulator import environment

ADVISORIES = Path(__file__).parent / "registry" / "advisories.json"


def main() -> None:
    """Start the local cloud by the command line and stay until it is told to end."""
    settings = _settings()
    environment.prepare(settings)
    from local.emulator import process  # noqa: PLC0415 - it imports ministack, which reads the environment then

    try:
        process.run(settings)
    except OSError as error:
        sys.exit(f"local cloud: {error}")


def _settings() -> environment.Settings:
    parser = argparse.ArgumentParser("python -m local.cloud", description="AWS on 127.0.0.1, with a faithful ECR.")
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--account", type=_account, default="111122223333")
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--quiet", action="store_true", help="log errors only")
    parser.add_argument("--ca-bundle", type=Path, metavar="FILE", help="authorities (PEM) that functions trust")
    parser.add_argument("--advisories", type=Path, default=ADVISORIES, metavar="FILE", help="what the scanner knows")
    return environment.Settings(**vars(parser.parse_args()))


def _account(text: str) -> str:
    if not re.fullmatch(r"\d{12}", text):
        raise argparse.ArgumentTypeError("expected 12 digits")
    return text


if __name__ == "__main__":
    main()
