"""Settings of the account: what its registry does otherwise than it did when the setting was new.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutAccountSetting.html
"""

from collections.abc import Mapping

from local.registry.errors import EcrError
from local.registry.store import Registry
from local.registry.wire import Request, Response

VALUES: Mapping[str, tuple[str, ...]] = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", "CLAIR"),
    "REGISTRY_POLICY_SCOPE": ("V2", "V1"),
    "BLOB_MOUNTING": ("DISABLED", "ENABLED"),
}
"""By name; the first is the default."""


def value(registry: Registry, name: str) -> str:
    """What the setting is."""
    return registry.account_settings.get(name, VALUES[name][0])


def get(registry: Registry, request: Request) -> Response:
    """GetAccountSetting."""
    name = _known(request)
    return {"name": name, "value": value(registry, name)}


def put(registry: Registry, request: Request) -> Response:
    """PutAccountSetting."""
    name = _known(request)
    if request["value"] not in VALUES[name]:
        raise EcrError("InvalidParameterException", f"The value of {name} is one of {', '.join(VALUES[name])}")
    registry.account_settings[name] = request["value"]
    return {"name": name, "value": request["value"]}


def _known(request: Request) -> str:
    name: str = request["name"]
    if name not in VALUES:
        raise EcrError("InvalidParameterException", f"The name of an account setting is one of {', '.join(VALUES)}")
    return name
