"""All images of a repository, as pruning has to know them: with what indexes list, read once and remembered.

A digest is for ever the same manifest, so what an index lists is kept in the ledger. Reading it each day would count as
a pull of the index each day (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html), and no
rule on what nobody pulls would ever take it.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden import answers
from warden.errors import Invalid
from warden.ledger import KEPT, epoch, items_under
from warden.manifests import INDEX_TYPES, MANIFEST_TYPES, listed
from warden.names import Digest, RepositoryName, Tag
from warden.stored_images import StoredImage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient

IMAGES_A_PAGE = 1000
MANIFESTS_A_CALL = 100
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html."""
MOST_REMEMBERED = 5000
"""Of what an index lists: an item of DynamoDB holds 400 KB. A longer list is read each time."""
_GONE = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})


@dataclass(frozen=True, slots=True)
class Described:
    """The images of a repository; `unread` are indexes of which it is not known what they list."""

    images: tuple[StoredImage, ...]
    unread: tuple[Digest, ...] = ()


class RepositoryImages:
    """The images of the registry's repositories."""

    def __init__(self, client: "ECRClient", dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` is the ledger's, where it is remembered what indexes list."""
        self._client = client
        self._dynamodb = dynamodb
        self._table = table

    def describe(self, repository: RepositoryName, *, now: datetime) -> Described | None:
        """All images, archived ones too; None where the repository is gone."""
        try:
            # What is pushed while it is paged through may come twice.
            images = list({image.digest: image for image in self._pages(repository)}.values())
        except ClientError as error:
            if answers.code(error) in _GONE:
                return None
            raise
        indexes = [image for image in images if image.is_index]
        if not indexes:
            return Described(tuple(images))
        lists = self._remembered(repository, {image.digest for image in indexes}, now)
        unknown = [image for image in indexes if image.digest not in lists]
        # An archived image can't be read; until it is restored it is not known what it lists.
        lists.update(self._read(repository, [image.digest for image in unknown if not image.archived], now))
        whole = (replace(image, children=lists.get(image.digest, ())) if image.is_index else image for image in images)
        return Described(tuple(whole), tuple(image.digest for image in unknown if image.digest not in lists))

    def again(self, repository: RepositoryName, digests: Sequence[Digest]) -> Iterator[StoredImage]:
        """Some of the images as they are at this moment, without what they list; those that are gone are left out."""
        rest = iter(digests)
        while batch := list(islice(rest, MANIFESTS_A_CALL)):
            yield from self._some(repository, batch)

    def _some(self, repository: RepositoryName, batch: Sequence[Digest]) -> list[StoredImage]:
        """ECR answers for all or for none: where one is gone, each half is asked for by itself."""
        try:
            answer = self._client.describe_images(
                repositoryName=repository, imageIds=[{"imageDigest": digest} for digest in batch]
            )
        except ClientError as error:
            if answers.code(error) not in _GONE:
                raise
            if len(batch) == 1:
                return []
            middle = len(batch) // 2
            return [*self._some(repository, batch[:middle]), *self._some(repository, batch[middle:])]
        with answers.whole("DescribeImages"):
            return [stored_image(detail) for detail in answer["imageDetails"]]

    def _pages(self, repository: RepositoryName) -> Iterator[StoredImage]:
        pages = self._client.get_paginator("describe_images").paginate(
            repositoryName=repository, filter={"imageStatus": "ANY"}, PaginationConfig={"PageSize": IMAGES_A_PAGE}
        )
        for page in pages:
            with answers.whole("DescribeImages"):
                details = page["imageDetails"]
                yield from map(stored_image, details)

    def _remembered(
        self, repository: RepositoryName, present: Container[Digest], now: datetime
    ) -> dict[Digest, tuple[Digest, ...]]:
        """What would be forgotten soon is written anew: an index that is archived by now can't be read again."""
        found: dict[Digest, tuple[Digest, ...]] = {}
        for item in items_under(self._dynamodb, self._table, f"lists#{repository}"):
            digest = Digest(item["sk"]["S"])
            found[digest] = tuple(Digest(one["S"]) for one in item["digests"]["L"])
            if digest in present and int(item["expires_at"]["N"]) < int(epoch(now + KEPT / 2)):
                self._remember(repository, digest, found[digest], now)
        return found

    def _read(
        self, repository: RepositoryName, digests: Sequence[Digest], now: datetime
    ) -> dict[Digest, tuple[Digest, ...]]:
        found: dict[Digest, tuple[Digest, ...]] = {}
        rest = iter(digests)
        while batch := list(islice(rest, MANIFESTS_A_CALL)):
            for digest, text in self.manifests(repository, batch).items():
                with suppress(Invalid):  # whoever pushed it wrote it: it stays unread
                    found[digest] = listed(text)
                    self._remember(repository, digest, found[digest], now)
        return found

    def _remember(self, repository: RepositoryName, digest: Digest, lists: Sequence[Digest], now: datetime) -> None:
        if len(lists) > MOST_REMEMBERED:
            return
        item: dict[str, Any] = {
            "pk": {"S": f"lists#{repository}"},
            "sk": {"S": digest},
            "digests": {"L": [{"S": child} for child in lists]},
            "expires_at": {"N": epoch(now + KEPT)},
        }
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def manifests(self, repository: RepositoryName, digests: Sequence[Digest]) -> dict[Digest, str]:
        """The texts of at most a hundred manifests; those that ECR does not give are left out."""
        answer = self._client.batch_get_image(
            repositoryName=repository,
            imageIds=[{"imageDigest": digest} for digest in digests],
            acceptedMediaTypes=list(MANIFEST_TYPES),
        )
        with answers.whole("BatchGetImage"):
            return {Digest(image["imageId"]["imageDigest"]): image["imageManifest"] for image in answer["images"]}


def stored_image(detail: Mapping[str, Any]) -> StoredImage:
    """One image of DescribeImages."""
    subject = detail.get("subjectManifestDigest")
    return StoredImage(
        digest=Digest(detail["imageDigest"]),
        tags=tuple(Tag(tag) for tag in detail.get("imageTags") or ()),
        pushed_at=detail["imagePushedAt"],
        size=detail.get("imageSizeInBytes") or 0,
        pulled_at=detail.get("lastRecordedPullTime"),
        archived=detail.get("imageStatus") == "ARCHIVED",
        archived_at=detail.get("lastArchivedAt"),
        activated_at=detail.get("lastActivatedAt"),
        subject=Digest(subject) if subject else None,
        is_index=detail.get("imageManifestMediaType") in INDEX_TYPES,
    )
