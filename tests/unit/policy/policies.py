"""Policies for tests: what a test is about is said, the rest is as small as a policy can be."""

from typing import Any

from hypothesis import settings

from policy.compiled import compile_text
from warden.compiled_policy import from_compiled
from warden.names import RepositoryName
from warden.policy import Policy, Standard
from warden.standards import standard_of

UNHURRIED = settings(deadline=None)
"""A law holds on a busy machine, too."""

CHANNELS = "channels:\n  platform: {type: slack, secret: warden/slack-platform}\n"


def a_file(defaults: str = "", rules: str = "", top: str = "") -> str:
    """The text of a policy; `defaults` and `rules` are indented YAML, a line each."""
    written = f"version: 1\n{top}defaults:\n  channels: [platform]\n{defaults}"
    return written + (f"rules:\n{rules}" if rules else "") + CHANNELS


def compiled(text: str) -> dict[str, Any]:
    return compile_text(text.encode(), file="warden.yaml", name="warden.yaml")


def loaded(text: str) -> Policy:
    return from_compiled(compiled(text))


def standard(text: str, repository: str = "team-a/api") -> Standard:
    return standard_of(loaded(text), RepositoryName(repository), {})
