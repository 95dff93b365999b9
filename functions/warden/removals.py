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
    """An image that ECR would not let go, and why; `is_listed` where an index that is there lists it."""

    digest: Digest
    why: str
    is_listed: bool = False


class Removals:
    """Taking images from the registry's repositories."""

    def __init__(self, client: "ECRClient") -> None:
        """`client` is an ECR client."""
        self._client = client

    def archive(self, repository: RepositoryName, digest: Digest) -> Failed | None:
        """Archive one image; one that is gone or archived already is done."""
        try:
            self._client.update_image_storage_class(
                repositoryName=repository, imageId={"imageDigest": digest}, targetStorageClass="ARCHIVE"
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

        A 200 may hold failures; an image that is gone already is none. What an index lists that went by the same call
        may have been refused because of that index: it is tried again, as long as anything goes.
        """
        failed = self._delete(repository, digests)
        listed = [one.digest for one in failed if one.is_listed]
        if listed and len(failed) < len(digests):
            return (*(one for one in failed if not one.is_listed), *self.delete(repository, listed))
        return failed

    def _delete(self, repository: RepositoryName, digests: Sequence[Digest]) -> tuple[Failed, ...]:
        answer = self._client.batch_delete_image(
            repositoryName=repository, imageIds=[{"imageDigest": digest} for digest in digests]
        )
        with answers.whole("BatchDeleteImage"):
            return tuple(
                Failed(
                    Digest(failure["imageId"]["imageDigest"]),
                    f"{failure['failureCode']}: {clean(failure['failureReason'], LONGEST)}",
                    is_listed=failure["failureCode"] == "ImageReferencedByManifestList",
                )
                for failure in answer["failures"]
                if failure["failureCode"] != "ImageNotFound"
            )
