"""Release repositories: made to their standard where they are absent, and the manifests and tags put there.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html and API_PutImage.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden import answers
from warden.errors import Refused, Unavailable
from warden.immutability import Setting, wanted
from warden.names import RepositoryName, Tag
from warden.policy import Immutability, Mode, Standard
from warden.text import clean
from warden.whole_images import StoredManifest

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

MADE_TO = "warden:standard"
"""The key of the repository's own tag that says by which policy it was made."""
LONGEST = 300
_WRONG = frozenset(
    {
        "ImageDigestDoesNotMatchException",
        "InvalidParameterException",
        "InvalidTagParameterException",
        "KmsException",
        "LimitExceededException",
        "TooManyTagsException",
        "ValidationException",
    }
)
_INCOMPLETE = frozenset({"LayersNotFoundException", "ReferencedImagesNotFoundException"})
"""ECR may clean up at any time what no image names yet: the next try sends it again."""


class ReleaseRepositories:
    """The release repositories of one registry."""

    def __init__(self, client: "ECRClient") -> None:
        """`client` is an ECR client of the registry."""
        self._client = client

    def create(self, name: RepositoryName, standard: Standard, fingerprint: str) -> None:
        """Make the repository as the standard says; one that somebody made meanwhile stays as it is.

        What can't be changed later, its encryption, is right from the start. Raises Refused where ECR won't have it.
        """
        with _refusing(f"the release repository {name} was not made"):
            try:
                self._client.create_repository(
                    repositoryName=name,
                    tags=[{"Key": MADE_TO, "Value": fingerprint}],
                    **as_asked(standard),
                )
            except self._client.exceptions.RepositoryAlreadyExistsException:
                return

    def put(self, repository: RepositoryName, manifest: StoredManifest, tag: Tag | None = None) -> None:
        """Put the manifest, by its digest alone or with a tag; one that is there is left as it is.

        Raises Refused where ECR won't have it, Unavailable where ECR lacks what it needs.
        """
        request: dict[str, Any] = {"imageTag": tag} if tag else {}
        if manifest.media_type:
            request["imageManifestMediaType"] = manifest.media_type
        shown = f"{manifest.digest} as {clean(tag, LONGEST)}" if tag else manifest.digest
        with _refusing(f"{repository} did not take {shown}"):
            try:
                self._client.put_image(
                    repositoryName=repository,
                    imageManifest=manifest.text,
                    imageDigest=manifest.digest,
                    **request,
                )
            except self._client.exceptions.ImageAlreadyExistsException:
                return
            except self._client.exceptions.ImageTagAlreadyExistsException:
                raise Refused(f"another image has got the tag {tag} in {repository}, and keeps it") from None


def as_asked(standard: Standard) -> dict[str, Any]:
    """What CreateRepository is to be told, as the standard says; nothing of a section that is off.

    A section in report mode counts: nobody's setting is changed by it. Raises Refused where ECR has no such setting.
    """
    asked: dict[str, Any] = {}
    if standard.encryption.mode is not Mode.OFF and standard.encryption.type is not None:
        asked["encryptionConfiguration"] = {"encryptionType": str(standard.encryption.type)}
    if standard.scanning.mode is not Mode.OFF and standard.scanning.on_push:
        asked["imageScanningConfiguration"] = {"scanOnPush": True}
    if standard.tags.mode is not Mode.OFF:
        asked |= _immutability(standard)
    return asked


def _immutability(standard: Standard) -> dict[str, Any]:
    found = wanted(Setting(Immutability.MUTABLE), Setting(standard.tags.immutability, standard.tags.exclude))
    if found is None:
        return {}
    if found.blocked:
        raise Refused(f"the release repository {standard.repository} was not made: {found.blocked}")
    asked: dict[str, Any] = {"imageTagMutability": str(found.setting.immutability)}
    if found.setting.patterns:
        asked["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": pattern} for pattern in found.setting.patterns
        ]
    return asked


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """What no retry mends is Refused."""
    try:
        yield
    except ClientError as error:
        said = f"{what}: {clean(answers.message(error), LONGEST)}"
        if answers.code(error) in _WRONG:
            raise Refused(said) from None
        if answers.code(error) in _INCOMPLETE:
            raise Unavailable(said) from None
        raise
