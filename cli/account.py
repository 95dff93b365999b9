"""What the AWS account has, as far as a deployment is concerned: questions only, nothing is changed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cli.aws import asking, client
from cli.prerequisites import Trail
from warden.secrets import Credentials, Secrets

BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"
"""https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html."""


class Account:
    """The account and region that the environment chooses; a question that isn't answered raises Unavailable."""

    def __init__(self, connect: Callable[[str], Any] = client) -> None:
        """`connect` makes the client of a service."""
        self._connect = connect

    def region(self) -> str | None:
        """The region that is chosen, or None."""
        import boto3  # noqa: PLC0415 - a third of a second, and most commands don't ask AWS

        return boto3.session.Session().region_name

    def identity(self) -> tuple[str, str]:
        """The account's number and the ARN of who asks."""
        sts = self._connect("sts")
        with asking("learn which account this is"):
            answer = sts.get_caller_identity()
            return answer["Account"], answer["Arn"]

    def bootstrap_version(self) -> int | None:
        """The version of CDK's bootstrap stack, or None where there is none."""
        ssm = self._connect("ssm")
        with asking("read the version of CDK's bootstrap stack"):
            try:
                return int(ssm.get_parameter(Name=BOOTSTRAP_VERSION)["Parameter"]["Value"])
            except ssm.exceptions.ParameterNotFound:
                return None

    def scanning(self) -> tuple[str, int]:
        """The registry's scanning type, and how many rules it has."""
        ecr = self._connect("ecr")
        with asking("read the registry's scanning configuration"):
            configuration = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
            return configuration["scanType"], len(configuration["rules"])

    def credentials(self, secret: str) -> Credentials:
        """What a channel's secret holds, read as the notify function reads it."""
        secrets = Secrets(self._connect("secretsmanager"))
        with asking(f"read the secret {secret}"):
            return secrets.credentials(secret, now=datetime.now(UTC))

    def trails(self) -> tuple[Trail, ...]:
        """The trails that cover this region."""
        cloudtrail = self._connect("cloudtrail")
        region = self.region()
        with asking("look for CloudTrail trails"):
            found = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
            return tuple(
                Trail(trail["Name"], self._logs(cloudtrail, trail), self._records_writes(cloudtrail, trail))
                for trail in found
                if trail.get("IsMultiRegionTrail") or trail.get("HomeRegion") == region
            )

    @staticmethod
    def _logs(cloudtrail: Any, trail: Any) -> bool:
        return bool(cloudtrail.get_trail_status(Name=trail["TrailARN"])["IsLogging"])

    @staticmethod
    def _records_writes(cloudtrail: Any, trail: Any) -> bool:
        """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html."""
        if trail.get("IsOrganizationTrail"):
            return True  # its selectors are the organization's, and a member account may not read them
        selectors = cloudtrail.get_event_selectors(TrailName=trail["TrailARN"])
        plain = selectors.get("EventSelectors") or ()
        if any(one["IncludeManagementEvents"] and one["ReadWriteType"] != "ReadOnly" for one in plain):
            return True
        return any(map(_selects_writes, selectors.get("AdvancedEventSelectors") or ()))


def _selects_writes(selector: Any) -> bool:
    fields = {field["Field"]: field.get("Equals", []) for field in selector["FieldSelectors"]}
    return fields.get("eventCategory") == ["Management"] and fields.get("readOnly", ["false"]) == ["false"]
