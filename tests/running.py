"""What runs images, at the wire: a test says what each operation answers, page by page, and sees what was asked."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from tests.builders import HOME
from tests.wire import Answer, ok
from warden.events import Home
from warden.inventory.accounts import Accounts
from warden.lending import Credentials
from warden.registry import Registry

Asked = Callable[[Mapping[str, Any]], Answer]
OURS = f"{HOME.account}.dkr.ecr.{HOME.region}.amazonaws.com"


class Running:
    """AWS services that run images, in any account and region: `places` answer apart from `answers` where they do.

    An operation that a test says nothing of fails it.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Asked] = {}
        self.places: dict[tuple[str, str, str], Asked] = {}
        self.calls: list[tuple[str, str, str, Mapping[str, Any]]] = []
        self.headers: dict[str, str] = {}
        self.before_each: Callable[[], None] = lambda: None

    def says(self, operation: str, *pages: Mapping[str, Any], next_is: str = "nextToken") -> None:
        """Let an operation, such as `ecs.ListClusters`, answer with these pages."""
        self.answers[operation] = paged(*pages, next_is=next_is)

    def refuses(self, operation: str, answer: Answer) -> None:
        """Let an operation answer with an error."""
        self.answers[operation] = lambda _: answer

    def operations(self) -> list[str]:
        return [operation for operation, _, _, _ in self.calls]

    def asked(self, operation: str) -> list[Mapping[str, Any]]:
        return [request for name, _, _, request in self.calls if name == operation]

    def client(self, service: str, region: str = HOME.region, lent: Credentials | None = None) -> Any:
        """A client whose key says whose it is: `x` is ours."""
        make: Any = _session().client
        client = make(
            service,
            region_name=region,
            aws_access_key_id=lent.key if lent else "x",
            aws_secret_access_key="x",
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        )
        requests: list[Mapping[str, Any]] = []
        account = lent.key if lent else HOME.account

        def remember(params: Mapping[str, Any], **_: Any) -> None:
            requests.append(params)

        def send(request: Any, event_name: str, **_: Any) -> AWSResponse:
            self.before_each()
            operation = event_name.removeprefix("before-send.")
            operation = f"{service}.{operation.rpartition('.')[2]}"
            asked = dict(requests[-1])
            self.calls.append((operation, account, region, asked))
            answer = self.places.get((operation, account, region)) or self.answers[operation]
            status, body = answer(asked)
            headers = HTTPHeaders()
            for name, value in self.headers.items():
                headers[name] = value
            return AWSResponse(request.url, status, headers, _Raw(body.encode()))

        client.meta.events.register_first("before-parameter-build", remember)
        client.meta.events.register_first("before-send", send)
        return client

    def accounts(self, registry: Registry, *roles: str, home: Home = HOME) -> Accounts:
        """Everybody, with App Runner at home alone."""
        return Accounts(
            home,
            roles,
            sts=self.client("sts"),
            connect=self.client,
            connect_once=self.client,
            registry=registry,
            app_runner_regions=[home.region],
        )


@cache
def _session() -> boto3.Session:
    """One for all tests: it reads each service's model once."""
    return boto3.Session("x", "x", region_name=HOME.region)


def paged(*pages: Mapping[str, Any], next_is: str = "nextToken") -> Asked:
    """Answer with one page after the other, each but the first asked for by the token of the one before."""

    def answer(request: Mapping[str, Any]) -> Answer:
        number = int(request.get(next_is) or request.get("Marker") or 0)
        more = {} if number + 1 == len(pages) else {("NextMarker" if next_is == "Marker" else next_is): str(number + 1)}
        return ok({**pages[number], **more})

    return answer


def role_of(account: str) -> str:
    return f"arn:aws:iam::{account}:role/ecr-warden-inventory"


def lends(request: Mapping[str, Any]) -> Answer:
    """What STS answers: credentials whose key is the account's number."""
    account = request["RoleArn"].split(":")[4]
    lent = (
        f"<AccessKeyId>{account}</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>x</SessionToken>"
        "<Expiration>2026-11-23T13:00:00Z</Expiration>"
    )
    return 200, (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        f"<Credentials>{lent}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def refused_by_sts(code: str, message: str = "made up for a test") -> Answer:
    return 403, (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )


def arns(kind: str, names: Sequence[str], service: str = "ecs") -> list[str]:
    return [f"arn:aws:{service}:{HOME.region}:{HOME.account}:{kind}/{name}" for name in names]


class _Raw:
    """The body of an answer, as urllib3 gives it: streamed, or read for a payload."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self._body]

    def read(self, amount: int | None = None) -> bytes:
        part, self._body = self._body[:amount], self._body[amount or len(self._body) :]
        return part
