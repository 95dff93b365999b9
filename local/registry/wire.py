"""ECR's wire format, AWS JSON 1.1, by botocore's own service model: requests validated, responses shaped.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, cast

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from local.registry.errors import EcrError, invalid

Request = Mapping[str, Any]
Response = dict[str, Any]

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "blob": (str, bytes),
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": (int, float),
    "timestamp": (int, float),
}


@cache
def model() -> ServiceModel:
    """The service model of the pinned botocore; loading it takes a moment."""
    return botocore.session.Session().get_service_model("ecr")


def parse(operation: str, body: bytes) -> Request:
    """The request, valid by the model: required members, types, lengths, patterns and enums; blobs as bytes.

    Raises EcrError.
    """
    try:
        return valid(operation, json.loads(body or b"{}"))
    except ValueError as error:
        raise EcrError("SerializationException", "The request is not JSON") from error


def valid(operation: str, request: Request) -> Request:
    """The request, as `parse` has it, where it did not come as JSON. Raises EcrError."""
    if operation not in model().operation_names:
        raise EcrError("UnknownOperationException", "")
    shape = model().operation_model(operation).input_shape
    return cast("Request", _valid(shape, request, "")) if shape else {}


def dump(operation: str, response: Response) -> bytes:
    """The response as JSON; a member that the model doesn't have is a mistake of ours and raises KeyError."""
    shape = model().operation_model(operation).output_shape
    return json.dumps(_shaped(shape, response) if shape else {}).encode()


def _valid(shape: Shape, value: Any, where: str) -> Any:
    expected = _TYPES[shape.type_name]
    if not isinstance(value, expected) or (isinstance(value, bool) and shape.type_name != "boolean"):
        raise EcrError("SerializationException", f"{where or 'The request'} can not be read as a {shape.type_name}")
    return _valid_part(shape, value, where)


def _valid_part(shape: Shape, value: Any, where: str) -> Any:
    if isinstance(shape, StructureShape):
        return _valid_structure(shape, value, where)
    if isinstance(shape, ListShape):
        _check_bounds(shape, len(value), where, "length ")
        return [_valid(shape.member, item, f"{where}.{n}.member") for n, item in enumerate(value, 1)]
    if isinstance(shape, MapShape):
        return {name: _valid(shape.value, item, f"{where}.{name}") for name, item in value.items()}
    return _valid_scalar(shape, value, where)


def _valid_structure(shape: StructureShape, value: Request, where: str) -> Request:
    prefix = f"{where}." if where else ""
    for name in shape.required_members:
        if value.get(name) is None:
            raise invalid(f"{prefix}{name}", "must not be null")
    return {
        name: _valid(shape.members[name], item, f"{prefix}{name}")
        for name, item in value.items()
        if name in shape.members and item is not None
    }


def _valid_scalar(shape: Shape, value: Any, where: str) -> Any:
    if shape.type_name == "blob":
        value = _bytes(value, where)
        _check_bounds(shape, len(value), where, "length ")
    elif shape.type_name == "string":
        _check_string(shape, value, where)
    elif shape.type_name in {"integer", "long"}:
        _check_bounds(shape, value, where, "value ")
    return value


def _bytes(value: str | bytes, where: str) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise EcrError("SerializationException", f"{where} is not base64") from error


def _check_bounds(shape: Shape, size: int, where: str, what: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        raise invalid(where, f"Member must have {what}greater than or equal to {least}")
    if most is not None and size > most:
        raise invalid(where, f"Member must have {what}less than or equal to {most}")


def _check_string(shape: Shape, value: str, where: str) -> None:
    _check_bounds(shape, len(value), where, "length ")
    allowed, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if allowed and value not in allowed:
        raise invalid(where, f"Member must satisfy enum value set: {allowed}")
    if pattern and not re.fullmatch(pattern, value):
        raise invalid(where, f"Member must satisfy regular expression pattern: {pattern}")


def _shaped(shape: Shape, value: Any) -> Any:
    match shape:
        case StructureShape():
            return {name: _shaped(shape.members[name], item) for name, item in value.items() if item is not None}
        case ListShape():
            return [_shaped(shape.member, item) for item in value]
    return value.timestamp() if isinstance(value, datetime) else value
