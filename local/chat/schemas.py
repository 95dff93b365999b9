"""The products' own JSON schemas, where the project has one."""

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema.exceptions import best_match
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

SCHEMAS = Path(__file__).parents[2] / "schema"


def problem(product: str, value: Any) -> str:
    """Where the value breaks the product's schema, and how; empty where it doesn't, or where there is no schema."""
    validator = _validator(product)
    error = best_match(validator.iter_errors(value)) if validator else None
    if error is None:
        return ""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"{where or 'message'}: {error.message[:300]}"


@functools.cache
def _validator(product: str) -> Validator | None:
    files = sorted((SCHEMAS / product).glob("*.json"))
    if not files:
        return None
    schema: dict[str, Any] = json.loads(files[0].read_text(encoding="utf-8"))
    validator: Validator = validator_for(schema)(schema)
    return validator
