"""What a handler can call, read from its code: handlers name an adapter's methods, and those name operations."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FUNCTIONS = Path("functions")
THROUGH = ("enforcement", "once")
"""Modules between handlers and adapters: who imports them calls what they call."""
TRANSACTION = {"Put": "PutItem", "Update": "UpdateItem"}
"""A transaction needs the permissions of its parts, and none of its own.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
"""


@dataclass(frozen=True)
class Uses:
    """What a handler asks its deployment for."""

    queues: frozenset[str]
    secrets: bool


def registry_actions(handler: str) -> set[str]:
    """The ECR actions that the handler can cause."""
    return _actions(handler, adapter="registry", type_="Registry")


def ledger_actions(handler: str) -> set[str]:
    """The DynamoDB actions that the handler can cause."""
    return _actions(handler, adapter="ledger", type_="Ledger")


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


def _actions(handler: str, *, adapter: str, type_: str) -> set[str]:
    operations = _operations(FUNCTIONS / "warden" / f"{adapter}.py", type_)
    called = {
        node.attr
        for tree in _reached(handler)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and _name(node.value) == adapter and node.attr in operations
    }
    return {action for method in called for action in operations[method]}


def _reached(handler: str) -> Iterator[ast.Module]:
    tree = _tree(FUNCTIONS / f"{handler}.py")
    yield tree
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    for module in THROUGH:
        if f"warden.{module}" in imported:
            yield _tree(FUNCTIONS / "warden" / f"{module}.py")


def _operations(path: Path, type_: str) -> dict[str, set[str]]:
    """The AWS actions of each method of an adapter, through its own other methods too."""
    (adapter,) = (node for node in _tree(path).body if isinstance(node, ast.ClassDef) and node.name == type_)
    methods = {node.name: node for node in adapter.body if isinstance(node, ast.FunctionDef)}

    def actions(name: str, seen: frozenset[str]) -> set[str]:
        calls = [node for node in ast.walk(methods[name]) if isinstance(node, ast.Call)]
        own = {action for call in calls for action in _action(call)}
        others = {c.func.attr for c in calls if isinstance(c.func, ast.Attribute) and _name(c.func.value) == "self"}
        return own.union(*(actions(other, seen | {other}) for other in (others & methods.keys()) - seen))

    return {name: actions(name, frozenset({name})) for name in methods}


def _action(call: ast.Call) -> set[str]:
    """The actions of one call of a client, if it is one."""
    if not (isinstance(call.func, ast.Attribute) and _name(call.func.value) in {"_client", "_once_client"}):
        return set()
    operation = call.func.attr
    if operation == "get_paginator":
        operation = ast.literal_eval(call.args[0])
    if operation == "transact_write_items":
        keys = {node.value for node in ast.walk(call) if isinstance(node, ast.Constant)}
        return {action for part, action in TRANSACTION.items() if part in keys}
    return {"".join(word.capitalize() for word in operation.split("_"))}


def _name(node: ast.expr) -> str:
    """The last name of `registry`, `self.registry`, `self._client`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())
