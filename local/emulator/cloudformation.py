"""Resource types of ECR that ministack's CloudFormation doesn't know, made and deleted by our registry's API.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ECR.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

from local.emulator import principals
from local.registry import wire
from local.registry.ecr import Ecr

Properties = Mapping[str, Any]
Call = Callable[..., wire.Response]
_EXCLUSION, _TEMPLATE = "AWS::ECR::PullTimeUpdateExclusion", "AWS::ECR::RepositoryCreationTemplate"
_NAMES = {
    "ImageTagMutabilityExclusionFilterType": "filterType",
    "ImageTagMutabilityExclusionFilterValue": "filter",
    "Key": "Key",
    "Value": "Value",
}
"""Members that the API doesn't call as CloudFormation does, with a small letter."""


def provide(ecr: Ecr) -> None:
    """Make the resource types known."""

    def call(operation: str, **request: Any) -> wire.Response:
        root = principals.caller("test", ecr.registry.account)
        return ecr.call(operation, wire.valid(operation, request), root, "cloudformation.amazonaws.com")

    provisioners._RESOURCE_HANDLERS |= {_EXCLUSION: _exclusions(call), _TEMPLATE: _templates(call)}
    provisioners._REPLACING_PROPERTIES |= {_EXCLUSION: ("PrincipalArn",), _TEMPLATE: ("Prefix",)}


def _exclusions(call: Call) -> dict[str, Any]:
    def create(_logical: str, properties: Properties, _stack: str) -> tuple[str, dict[str, str]]:
        principal = properties["PrincipalArn"]
        call("RegisterPullTimeUpdateExclusion", principalArn=principal)
        return principal, {}

    def delete(physical: str, _properties: Properties) -> None:
        call("DeregisterPullTimeUpdateExclusion", principalArn=physical)

    return {"create": create, "delete": delete}


def _templates(call: Call) -> dict[str, Any]:
    def create(_logical: str, properties: Properties, _stack: str) -> tuple[str, dict[str, str]]:
        call("CreateRepositoryCreationTemplate", **_as_request(properties))
        return properties["Prefix"], {}

    def update(physical: str, _old: Properties, new: Properties, _stack: str) -> tuple[str, dict[str, str]]:
        call("UpdateRepositoryCreationTemplate", **_as_request(new))
        return physical, {}

    def delete(physical: str, _properties: Properties) -> None:
        call("DeleteRepositoryCreationTemplate", prefix=physical)

    return {"create": create, "update": update, "delete": delete}


def _as_request(value: Any) -> Any:
    """Properties as members of the API's request."""
    if isinstance(value, Mapping):
        return {_NAMES.get(name, name[0].lower() + name[1:]): _as_request(each) for name, each in value.items()}
    return [_as_request(each) for each in value] if isinstance(value, list) else value
