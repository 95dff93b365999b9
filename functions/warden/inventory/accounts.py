"""Where the parts of an inventory are read: in this account, or in another one by a role that it lends us.

https://docs.aws.amazon.com/IAM/latest/UserGuide/tutorial_cross-account-with-roles.html
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden import answers
from warden.events import Home
from warden.inventory.app_runner import AppRunner
from warden.inventory.asking import Incomplete, Source
from warden.inventory.batch import BatchJobs
from warden.inventory.ecs import Ecs
from warden.inventory.eks import Eks, EksElsewhere
from warden.inventory.lambda_functions import LambdaFunctions
from warden.inventory.own_functions import OwnFunction
from warden.inventory.places import OWN_FUNCTION, Part, account_of
from warden.lending import DENIED, Connect, Credentials, Denied, Lending
from warden.policy import Source as Kind
from warden.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient


class Accounts:
    """Everybody who can be asked, wherever that is."""

    def __init__(
        self,
        home: Home,
        roles: Collection[str],
        *,
        sts: "STSClient",
        connect: Connect,
        connect_once: Connect,
        registry: Registry,
        app_runner_regions: Collection[str],
    ) -> None:
        """`roles` are ARNs of roles of other accounts. The clients that `connect_once` makes try once, and wait long.

        `app_runner_regions` are the regions that have App Runner.
        """
        self._home = home
        self._roles = {account_of(role): role for role in roles}
        self._lending = Lending(sts)
        self._connect = connect
        self._connect_once = connect_once
        self._registry = registry
        self._app_runner_regions = app_runner_regions

    def source(self, part: Part) -> Source:
        """Whom to ask for a part. Raises Incomplete where we are not let in, and botocore's errors."""
        if part.kind == OWN_FUNCTION:
            return OwnFunction(self._connect_once("lambda", part.region, None), part.function)
        kind = Kind(part.kind)
        if kind is Kind.APP_RUNNER and part.region not in self._app_runner_regions:
            return Nobody()
        lent = self._lent(part.account)
        client = self._connect(_SERVICES[kind], part.region, lent)
        if kind is Kind.EKS:
            if (part.account, part.region) != (self._home.account, self._home.region):
                return EksElsewhere(client)
            return Eks(client, self._connect("inspector2", part.region, lent), self._registry)
        return _SOURCES[kind](client)

    def _lent(self, account: str) -> Credentials | None:
        """The credentials for an account, for so long as one part takes; None for our own."""
        if account == self._home.account:
            return None
        role = self._roles.get(account)
        if role is None:
            raise Incomplete(f"the policy names no role of account {account} any more")
        try:
            return self._lending.lend(role)
        except Denied as denial:
            raise Incomplete(
                f"{role} can't be assumed: let its trust policy name the warden's inventory role, or take the role "
                f"out of inventory.roles ({denial})"
            ) from None


class Nobody:
    """A service that is not there: nothing can be in use."""

    def uses(self, _home: Home) -> tuple[()]:
        """None."""
        return ()


_SERVICES = {
    Kind.ECS: "ecs",
    Kind.LAMBDA: "lambda",
    Kind.EKS: "eks",
    Kind.BATCH: "batch",
    Kind.APP_RUNNER: "apprunner",
}
_SOURCES: dict[Kind, Callable[[Any], Source]] = {
    Kind.ECS: Ecs,
    Kind.LAMBDA: LambdaFunctions,
    Kind.BATCH: BatchJobs,
    Kind.APP_RUNNER: AppRunner,
}


def why_denied(error: ClientError) -> str | None:
    """Why we may not ask, with what to do; None for an error of another kind."""
    if answers.code(error) not in DENIED:
        return None
    return (
        f"{error.operation_name} is refused: let the role read it, or take it out of `inventory` "
        f"({answers.code(error)}: {answers.message(error)})"
    )
