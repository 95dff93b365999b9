"""The `AWS API Call via CloudTrail` events of calls that write, or tried to.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html
"""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local.registry.callers import Caller
from local.registry.errors import EcrError
from local.registry.events import Event
from local.registry.wire import Request, Response

API_CALL = "AWS API Call via CloudTrail"
_READ_ONLY = ("Get", "Describe", "List", "BatchGet", "BatchCheck")
MOST_BYTES = 256 * 1024
"""Larger records are not sent to EventBridge."""


def told(operation: str) -> bool:
    """Whether EventBridge hears of the call: rules see read-only ones only if they ask for them by their state."""
    return not operation.startswith(_READ_ONLY)


def record(
    operation: str,
    request: Request,
    outcome: Response | EcrError,
    *,
    caller: Caller,
    account: str,
    region: str,
    now: datetime,
    resource: str | None,
    agent: str,
) -> Event | None:
    """The event of one call; None where the record is too large to be sent."""
    failed = isinstance(outcome, EcrError)
    detail: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(caller, account, now),
        "eventTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "ecr.amazonaws.com",
        "eventName": operation,
        "awsRegion": region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": agent,
        **({"errorCode": outcome.code, "errorMessage": outcome.message} if isinstance(outcome, EcrError) else {}),
        "requestParameters": _readable({name: each for name, each in request.items() if name != "layerPartBlob"}),
        "responseElements": None if failed or not outcome else _readable(outcome),
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "resources": [{"accountId": account, "ARN": resource}] if resource else None,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if detail["resources"] is None:
        del detail["resources"]
    return Event(API_CALL, detail) if len(json.dumps(detail)) <= MOST_BYTES else None


def _identity(caller: Caller, account: str, now: datetime) -> dict[str, Any]:
    identity: dict[str, Any] = {
        "type": caller.kind,
        "principalId": caller.principal_id,
        "arn": caller.arn,
        "accountId": account,
        "accessKeyId": caller.access_key,
    }
    if caller.kind == "IAMUser":
        identity["userName"] = caller.arn.rpartition("/")[2]
    if caller.role:
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": caller.principal_id.partition(":")[0],
                "arn": caller.role,
                "accountId": account,
                "userName": caller.role.rpartition("/")[2],
            },
            "attributes": {"creationDate": f"{now:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": "false"},
        }
    return identity


def _readable(value: Any) -> Any:
    """The value with times as CloudTrail writes ECR's: `Nov 19, 2026, 11:00:00 PM`."""
    if isinstance(value, datetime):
        return f"{value:%b} {value.day}, {value.year}, {value.hour % 12 or 12}:{value:%M:%S} {value:%p}"
    if isinstance(value, Mapping):
        return {name: _readable(each) for name, each in value.items() if each is not None}
    return [_readable(each) for each in value] if isinstance(value, list) else value
