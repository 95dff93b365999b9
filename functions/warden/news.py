"""News of one image, as little of it as a message about many images needs, and the message about it alone."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class NewFinding:
    """What a table says of a finding."""

    name: str
    severity: str
    package: str
    fixed_in: str | None


@dataclass(frozen=True, slots=True)
class News:
    """News of one image: `id` is that of its `notice`, a queue message for this channel, and `kind` the notice's.

    `name` is what people call the image, `in_use` how many tasks and pods run it; `findings` are new, `why` says why it
    was not scanned, and `at` when it was known.
    """

    id: str
    kind: str
    repository: str
    name: str
    in_use: int
    findings: tuple[NewFinding, ...]
    why: tuple[str, ...]
    notice: str
    at: str = ""


def to_json(news: News) -> str:
    """The news as text."""
    return json.dumps(asdict(news), separators=(",", ":"))


def from_json(text: str) -> News:
    """What `to_json` wrote."""
    data = json.loads(text)
    findings = tuple(NewFinding(**finding) for finding in data["findings"])
    return News(**{**data, "findings": findings, "why": tuple(data["why"])})
