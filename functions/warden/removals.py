"""Images taken by the warden itself, where ECR has no rule for it: archived, or deleted for good.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UpdateImageStorageClass.html
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from warden import answers
from warden.names import Digest, RepositoryName
from warden.text import clean

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

DELETED_A_CALL = 100
LONGEST = 200
_DONE = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})
_WRONG = frozenset({"ImageStorageClassUpdateNotSupportedException", "InvalidParameterException", "ValidationException"})


@dataclass(frozen=True, slots=True)
class Failed:
    """An image that ECR would not let go, and why."""

    digest: Digest
    why: str


class Removals:
    """Taking images from the registry's repositories."""

    def __init__(self, client: "ECRClient") -> None:
        """`client` is an ECR client."""
        self._client = client

    def archive(self, repository: RepositoryName, digest: Digest) -> Failed | None:
        """Archive one image; one that is gone or archived already is done."""
        return self._move(repository, digest, "ARCHIVE")

    def restore(self, repository: RepositoryName, digest: Digest) -> Failed | None:
        """Bring one image back from the archive, which takes ECR up to 20 minutes."""
        return self._move(repository, digest, "STANDARD")

    def _move(self, repository: RepositoryName, digest: Digest, to: str) -> Failed | None:
        try:
            self._client.update_image_storage_class(
                repositoryName=repository,
                imageId={"imageDigest": digest},
                targetStorageClass=to,  # type: ignore[arg-type]
            )
        except ClientError as error:
            if answers.code(error) in _DONE:
                return None
            if answers.code(error) in _WRONG:
                return Failed(digest, clean(answers.message(error), LONGEST))
            raise
        return None

    def delete(self, repository: RepositoryName, digests: Sequence[Digest]) -> tuple[Failed, ...]:
        """Delete at most a hundred images by their digests, with all their tags, in that order.

        A 200 may hold failures; an image that is gone already is none.
        """
        answer = self._client.batch_delete_image(
            repositoryName=repository, imageIds=[{"imageDigest": digest} for digest in digests]
        )
        with answers.whole("BatchDeleteImage"):
            return tuple(
                Failed(
                    Digest(failure["imageId"]["imageDigest"]),
                    f"{failure['failureCode']}: {clean(failure['failureReason'], LONGEST)}",
                )
                for failure in answer["failures"]
                if failure["failureCode"] != "ImageNotFound"
            )
