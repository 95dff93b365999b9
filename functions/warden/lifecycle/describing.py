"""The standard's rules in words, as they stand in a policy's descriptions and in whatever people are told."""

from warden.policy import LifecycleAction, LifecycleRule, Per
from warden.text import clean

LONGEST = 256
_EACH = {Per.LINE: "each line of tags", Per.MAJOR: "each major version", Per.MINOR: "each minor version"}


def describe(rule: LifecycleRule, action: LifecycleAction) -> str:
    """One rule of the standard in words.

    >>> describe(LifecycleRule("untagged", after_days=7), LifecycleAction.ARCHIVE)
    'archive untagged images 7 days after the push'
    >>> describe(LifecycleRule("v*", keep=3, per=Per.MINOR), LifecycleAction.DELETE)
    'delete images tagged v* beyond the newest 3 of each minor version'
    >>> describe(LifecycleRule("pr-*", after_days=3, label="org.acme.ephemeral=true"), LifecycleAction.DELETE)
    'delete images tagged pr-* 3 days after the push, where their label is org.acme.ephemeral=true'
    """
    which = {"untagged": "untagged images", "any": "all images"}.get(rule.of, f"images tagged {rule.of}")
    if rule.keep is not None:
        when = f"beyond the newest {rule.keep}" + (f" of {_EACH[rule.per]}" if rule.per else "")
    elif rule.not_pulled_days is not None:
        when = f"{rule.not_pulled_days} days after the last pull"
    else:
        when = f"{rule.after_days} days after the push"
    condition = f", where their label is {rule.label}" if rule.label else ""
    return clean(f"{action} {which} {when}{condition}", LONGEST)
