"""Who is to be asked, and where: one part of the inventory each, asked and answered by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from warden.errors import Invalid
from warden.events import Home
from warden.policy import InventorySources, Mode, Policy, Source
from warden.text import clean

OWN_FUNCTION = "function"
_NAMES = {
    Source.ECS: "ECS",
    Source.LAMBDA: "Lambda",
    Source.EKS: "EKS",
    Source.BATCH: "Batch",
    Source.APP_RUNNER: "App Runner",
}
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One who is asked, in one account and region; `function` is the name of the user's own, where it is that."""

    kind: str
    account: str
    region: str
    function: str = ""

    @property
    def key(self) -> str:
        """How messages and the ledger name it.

        >>> Part("ecs", "111122223333", "eu-central-1").key
        'ecs/111122223333/eu-central-1'
        """
        return "/".join((self.kind, self.account, self.region, *((self.function,) if self.function else ())))

    def said(self, home: Home) -> str:
        """How people name it, seen from home.

        >>> Part("app_runner", "111122223333", "us-east-1").said(Home("111122223333", "eu-central-1"))
        'App Runner in us-east-1'
        """
        what = f"function {self.function}" if self.kind == OWN_FUNCTION else _NAMES[Source(self.kind)]
        place = ((self.account, home.account), (self.region, home.region))
        where = " ".join(own for own, ours in place if own != ours)
        return clean(f"{what} in {where}" if where else what, LONGEST)


def read_part(key: str) -> Part:
    """A part by its key. Raises Invalid."""
    kind, *place = key.split("/", 3)
    known = {*Source, OWN_FUNCTION}
    if kind not in known or len(place) != (3 if kind == OWN_FUNCTION else 2) or not all(place):
        raise Invalid(f"part: expected KIND/ACCOUNT/REGION, got {clean(key, LONGEST)!r}")
    return Part(kind, *place)


def parts(policy: Policy, home: Home) -> tuple[Part, ...]:
    """All parts of an inventory by the policy; none where nothing is spared for being in use."""
    if True not in _values(policy, "lifecycle.protect.in_use") and not quarantines_unused(policy):
        return ()
    return tuple(dict.fromkeys(_parts(policy.inventory, home)))


def prunes_anything(policy: Policy) -> bool:
    """Whether the policy has the lifecycle of any repository looked at."""
    return any(mode != Mode.OFF for mode in _values(policy, "lifecycle.mode"))


def quarantines_unused(policy: Policy) -> bool:
    """Whether the policy has images of any repository put in quarantine, of which those in use are left alone."""
    return (
        policy.asks("quarantine.by")
        and any(mode != Mode.OFF for mode in _values(policy, "quarantine.mode"))
        and False in _values(policy, "quarantine.in_use")
    )


def _parts(asked: InventorySources, home: Home) -> Iterator[Part]:
    """What EKS runs elsewhere can't be asked for; where the user's own functions answer, it is left to them."""
    accounts = (home.account, *map(account_of, asked.roles))
    for account in accounts:
        for region in (home.region, *asked.regions):
            is_home = (account, region) == (home.account, home.region)
            for source in asked.sources:
                if source is not Source.EKS or is_home or not asked.functions:
                    yield Part(source, account, region)
    for name in asked.functions:
        yield Part(OWN_FUNCTION, home.account, home.region, name)


def account_of(role: str) -> str:
    """The account of a role, by its ARN.

    >>> account_of("arn:aws:iam::444455556666:role/inventory")
    '444455556666'
    """
    return role.split(":")[4]


def _values(policy: Policy, name: str) -> list[Any]:
    """The values that the defaults and the rules give a field."""
    layers = (policy.defaults, *(rule.fields for rule in policy.rules))
    return [fields[name].value for fields in layers if name in fields]
