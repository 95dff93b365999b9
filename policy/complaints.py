"""What pydantic found wrong with a file, in words for its author, at its place."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, Tag, ValidationError

from policy.errors import Place, Problem
from policy.model import Document
from policy.source import Node, describe, dotted
from policy.values import did_you_mean

Location = tuple[int | str, ...]


def problems(error: ValidationError, root: Node) -> Iterator[Problem]:
    """Every problem that the model has with the file whose nodes these are."""
    for found in error.errors(include_url=False):
        location = found["loc"]
        place, path, node = locate(root, location, of_key=found["type"] == "extra_forbidden" or location[-1] == "[key]")
        yield Problem(place, path, _words(found["type"], location, node, found.get("ctx", {})))


def locate(root: Node, location: Location, *, of_key: bool = False) -> tuple[Place, str, Node]:
    """The place, the path in words and the node that a location in the model means; `of_key` asks for the key's place.

    Parts that the file does not have are the model's own (the kind of a rule) or what is missing: they are passed over.
    """
    node, place, path = root, root.place, ""
    for part in location:
        if isinstance(node.value, dict) and isinstance(part, str) and part in node.value:
            child, path = node.value[part], dotted(path, part)
            place = node.keys[part] if of_key else child.place
        elif isinstance(node.value, list) and isinstance(part, int):
            child, path = node.value[part], f"{path}[{part}]"
            place = child.place
        else:
            continue
        node = child
    return place, path, node


def _words(kind: str, location: Location, node: Node, context: dict[str, Any]) -> str:
    got = describe(node.plain())
    match kind:
        case "extra_forbidden":
            return _unknown(str(location[-1]), _keys(location[:-1]))
        case "missing":
            return f"the key '{location[-1]}' is missing: write, for example, {_example(location)}"
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"expected a mapping of keys, got {got}"
        case "list_type":
            hint = f"; write [{got}]" if isinstance(node.value, str) and node.value else ""
            return f"expected a list, got {got}{hint}"
        case "kind_of_rule":
            return (
                f"expected a rule such as {{expire: untagged, after: 7d}} or {{keep: 30, of: v*}}, got {_shape(node)}"
            )
    return str(context["error"])


def _unknown(key: str, known: list[str]) -> str:
    suggestion = did_you_mean(key, known)
    return f"unknown key{suggestion}" if suggestion else f"unknown key: expected one of {', '.join(known)}"


def _shape(node: Node) -> str:
    if not isinstance(node.value, dict):
        return describe(node.plain())
    return f"one with the keys {', '.join(node.value)}" if node.value else "an empty mapping"


def _keys(location: Location) -> list[str]:
    return list(_model(location).model_fields)


def _example(location: Location) -> str:
    examples = _model(location[:-1]).model_fields[str(location[-1])].examples or ()
    return f"{location[-1]}: {json.dumps(next(iter(examples), None))}"


def _model(location: Location) -> type[BaseModel]:
    """The part of the model that a location is in."""
    annotation: Any = Document
    for part in location:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields[str(part)]
            annotation = field.annotation
        else:  # an item of a list or mapping, or one kind of a union
            annotation = _inside(annotation, part)
    model: type[BaseModel] = annotation
    return model


def _inside(annotation: Any, part: int | str) -> Any:
    inside = get_args(annotation)
    chosen = next((kind for kind in inside if Tag(str(part)) in getattr(kind, "__metadata__", ())), inside[-1])
    return get_args(chosen)[0] if hasattr(chosen, "__metadata__") else chosen
