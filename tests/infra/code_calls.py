"""What a handler can call, read from its code: handlers name an adapter's methods, and those name operations."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FUNCTIONS = Path("functions")
THROUGH = (
    "clearing",
    "departures",
    "enforcement",
    "image_copy",
    "image_rounds",
    "layer_copy",
    "layer_upload",
    "looking",
    "observing",
    "once",
    "promotion_record",
    "prune_enforcement",
    "quarantine_enforcement",
    "quarantine_records",
    "quarantine_turns",
    "release_places",
    "tag_watch",
    "telling",
)
"""Modules between handlers and adapters: who imports them calls what they call."""
ADAPTERS = {
    "registry": ("registry", "Registry"),
    "image_tags": ("image_tags", "ImageTags"),
    "tags": ("image_tags", "ImageTags"),
    "images": ("repository_images", "RepositoryImages"),
    "previews": ("lifecycle_previews", "LifecyclePreviews"),
    "removals": ("removals", "Removals"),
    "labels": ("image_labels", "ImageLabels"),
    "inspector": ("inspector", "Inspector"),
    "ledger": ("ledger", "Ledger"),
    "tallies": ("tallies", "Tallies"),
    "judged": ("judged_images", "JudgedImages"),
    "held": ("held_news", "HeldNews"),
    "threads": ("threads", "Threads"),
    "inventories": ("inventories", "Inventories"),
    "prunings": ("prunings", "Prunings"),
    "quarantines": ("quarantines", "Quarantines"),
    "contents": ("image_contents", "ImageContents"),
    "releases": ("release_repositories", "ReleaseRepositories"),
    "lending": ("lending", "Lending"),
    "_lending": ("lending", "Lending"),
    "layers": ("layers", "LayerStore"),
    "source": ("layers", "LayerStore"),
    "_target": ("layers", "LayerStore"),
    "_progress": ("upload_progress", "UploadProgress"),
    "_mount": ("mounting", "Mount"),
    "vacancies": ("vacancies", "Vacancies"),
    "writes": ("repository_writes", "RepositoryWrites"),
}
"""By the name under which code has them: module and class."""
OF_THE_LEDGER = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "BatchWriteItem", "BatchGetItem", "Scan"}
"""DynamoDB's actions; those of other services have other names."""
CLIENTS = {"client", "_client", "_once_client", "_dynamodb", "_eks_client", "_inspector_client", "_sts_client"}
WHO_USES = Path("functions/warden/inventory")
"""All of these are asked by whoever connects to them."""
WAITERS = {"lifecycle_policy_preview_complete": "get_lifecycle_policy_preview"}
OTHERWISE_CALLED = {"Invoke": "InvokeFunction", "ListImageReferrers": "BatchGetImage"}
"""Operations whose permission has another name."""
ALSO_NEEDED = {"CreateRepository": {"TagResource"}}
"""Permissions that an operation needs besides its own, as we call it: a repository is made with a tag."""


@dataclass(frozen=True)
class Uses:
    """What a handler asks its deployment for."""

    queues: frozenset[str]
    secrets: bool


def registry_actions(handler: str) -> set[str]:
    """The actions of ECR, of Inspector and of services that run images that the handler can cause."""
    asked = set().union(*(_actions(handler, adapter) for adapter in ADAPTERS))
    if "warden.inventory.connecting" in _imported(_tree(FUNCTIONS / f"{handler}.py")):
        asked |= set().union(*(actions_in(module) for module in WHO_USES.glob("*.py")))
    return asked - OF_THE_LEDGER


def actions_in(module: Path) -> set[str]:
    """The actions that a module's own code can cause, by a client or by another adapter."""
    calls = [node for node in ast.walk(_tree(module)) if isinstance(node, ast.Call)]
    return set().union(*map(_action, calls), *(_elsewhere(call) for call in calls))


def ledger_actions(handler: str) -> set[str]:
    """The DynamoDB actions that the handler can cause."""
    return set().union(*(_actions(handler, adapter) for adapter in ADAPTERS)) & OF_THE_LEDGER


def uses(handler: str) -> Uses:
    """The queues and secrets that `connect` asks for."""
    tree = _tree(FUNCTIONS / f"{handler}.py")
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _name(node.value) == "deployment"]
    queues = frozenset(
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "queue"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )
    return Uses(queues, any(node.attr == "secrets" for node in asked))


def _actions(handler: str, adapter: str) -> set[str]:
    operations = _operations(adapter)
    called = {
        node.attr
        for tree in _reached(handler)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and _name(node.value) == adapter and node.attr in operations
    }
    return {action for method in called for action in operations[method]}


def _reached(handler: str) -> Iterator[ast.Module]:
    """The handler's code, and that of what it goes through, from there on too."""
    waiting, seen = [FUNCTIONS / f"{handler}.py"], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        tree = _tree(path)
        yield tree
        imported = _imported(tree)
        waiting += [FUNCTIONS / "warden" / f"{name}.py" for name in THROUGH if f"warden.{name}" in imported]


def _imported(tree: ast.Module) -> set[str | None]:
    return {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@cache
def _operations(adapter: str) -> dict[str, set[str]]:
    """The AWS actions of each method of an adapter, through its other methods, its functions and other adapters."""
    module, name = ADAPTERS[adapter]
    tree = _tree(FUNCTIONS / "warden" / f"{module}.py")
    (class_,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    methods = {node.name: node for node in class_.body if isinstance(node, ast.FunctionDef)}

    def actions(name: str, seen: frozenset[str]) -> set[str]:
        calls = [node for node in ast.walk(methods[name]) if isinstance(node, ast.Call)]
        others = {c.func.attr for c in calls if isinstance(c.func, ast.Attribute) and _name(c.func.value) == "self"}
        return set().union(
            *map(_action, calls),
            *(_elsewhere(call) for call in calls),
            *(actions(other, seen | {other}) for other in (others & methods.keys()) - seen),
        )

    return {name: actions(name, frozenset({name})) for name in methods}


def _elsewhere(call: ast.Call) -> set[str]:
    """The actions of a call of another adapter, or of a function beside one."""
    if isinstance(call.func, ast.Attribute):
        adapter = _name(call.func.value).removeprefix("_")
        return _operations(adapter).get(call.func.attr, set()) if adapter in ADAPTERS else set()
    return _beside().get(_name(call.func), set())


@cache
def _beside() -> dict[str, set[str]]:
    """The actions of each function that stands beside an adapter."""
    names = (*(module for module, _ in ADAPTERS.values()), "batch_writes")
    modules = (_tree(FUNCTIONS / "warden" / f"{module}.py") for module in names)
    found: dict[str, set[str]] = {}
    for function in (node for module in modules for node in module.body if isinstance(node, ast.FunctionDef)):
        inner = (node for node in ast.walk(function) if isinstance(node, ast.Call))
        found.setdefault(function.name, set()).update(action for node in inner for action in _action(node))
    return found


def _action(call: ast.Call) -> set[str]:
    """The actions of one call of a client, if it is one."""
    if not (isinstance(call.func, ast.Attribute) and _name(call.func.value) in CLIENTS):
        return set()
    operation = call.func.attr
    if operation == "get_paginator":
        operation = ast.literal_eval(call.args[0])
    if operation == "get_waiter":
        operation = WAITERS[ast.literal_eval(call.args[0])]
    action = "".join(word.capitalize() for word in operation.split("_"))
    return {OTHERWISE_CALLED.get(action, action), *ALSO_NEEDED.get(action, ())}


def _name(node: ast.expr) -> str:
    """The last name of `registry`, `self.registry`, `self._client`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())
