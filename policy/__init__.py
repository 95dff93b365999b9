"""The policy compiler: `warden.yaml` in, its checked and plain form out. For synth and the command, never in Lambda."""

from policy.compiled import LoadedPolicy, load
from policy.errors import PolicyError

__all__ = ["LoadedPolicy", "PolicyError", "load"]
