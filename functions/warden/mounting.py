"""Mounting: a repository gets a layer of another one of the same registry, and no byte is moved.

ECR does so where its account setting BLOB_MOUNTING is ENABLED, which it is not by default, both repositories are
encrypted with the same key, and whoever asks may download the layer. There is no operation of ECR's API for it: it is
asked for by the registry API, with a token.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session
from urllib3.exceptions import HTTPError

from warden import answers
from warden.blobs import Layer
from warden.names import RepositoryName

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

TIMEOUT = 5
"""Seconds for connecting, and for the answer."""
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts to which a token may go unencrypted: the local cloud's."""


class Mount:
    """Mounts layers within one account's registry in one region."""

    def __init__(self, client: "ECRClient", *, patience: int = TIMEOUT) -> None:
        """`client` is for that registry; `patience` is in seconds."""
        self._client = client
        self._session = URLLib3Session(timeout=patience)
        self._login: tuple[str, str] | None = None

    def mount(self, layer: Layer, *, source: RepositoryName, target: RepositoryName) -> bool:
        """Whether the target repository has the layer now. Where not, for whatever reason, it is to be copied.

        The token stands in no error, since no error leaves here but what ECR's client raises for want of an answer.
        """
        try:
            place, token = self._login = self._login or self._log_in()
        except ClientError:  # such as that we may not ask for a token
            return False
        where = f"{place}/v2/{target}/blobs/uploads/?{urlencode({'mount': layer.digest, 'from': source})}"
        if not _may_have(token_for=place):
            return False
        answer = self._send("POST", where, token)
        if answer is None or answer.status_code != HTTPStatus.CREATED:
            self._login = None  # it may have been for an old token
            self._cancel(answer, where, token)
            return False
        return True

    def _log_in(self) -> tuple[str, str]:
        """The registry's address and the token, which is good for twelve hours."""
        answer = self._client.get_authorization_token()
        with answers.whole("GetAuthorizationToken"):
            login = answer["authorizationData"][0]
            return login["proxyEndpoint"].rstrip("/"), login["authorizationToken"]

    def _cancel(self, answer: Any, where: str, token: str) -> None:
        """ECR took the request for the beginning of an upload, which nobody will go on with."""
        if answer is None or answer.status_code != HTTPStatus.ACCEPTED:
            return
        upload = urljoin(where, answer.headers.get("Location", where))
        if urlsplit(upload)[:2] == urlsplit(where)[:2] and upload != where:
            self._send("DELETE", upload, token)

    def _send(self, method: str, where: str, token: str) -> Any:
        """The answer; None where there was none. No redirect is followed."""
        headers = {"Authorization": f"Basic {token}", "Content-Length": "0"}
        try:
            return self._session.send(AWSRequest(method, where, headers=headers).prepare())
        except (BotoCoreError, HTTPError, OSError):
            return None


def _may_have(token_for: str) -> bool:
    place = urlsplit(token_for)
    return place.scheme == "https" or (place.scheme == "http" and place.hostname in _HERE)
