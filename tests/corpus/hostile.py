"""Strings that an outsider can really put into a name, a tag, a package or a description, to the worst of ends."""

import json
from pathlib import Path


def strings() -> list[str]:
    """All of them; a long one stands in the file as a text and the number of times it comes."""
    entries = json.loads(Path(__file__).with_name("hostile.json").read_text(encoding="ascii"))
    return [entry if isinstance(entry, str) else entry["text"] * entry["times"] for entry in entries]
