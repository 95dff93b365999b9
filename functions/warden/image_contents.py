"""What an image is made of, read from its repository: manifests as they were pushed, checked against their digests.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html and API_ListImageReferrers.html
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from warden import answers
from warden.errors import Invalid, Refused, Unavailable
from warden.manifests import ARTIFACT_TYPE, MANIFEST_TYPES, parts
from warden.names import Digest, ImageId, RepositoryName, Tag
from warden.text import clean
from warden.whole_images import StoredManifest, WholeImage, names_about

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

MANIFESTS_A_CALL = 25
"""ECR would take 100, of which each may be 4 MiB long."""
REFERRERS_A_PAGE = 50
MOST_MANIFESTS = 300
"""Of an image, with all that is about it. Real ones have two dozen."""
MOST_CHARACTERS = 4 * 2**20
"""Of a manifest in PutImage."""
MOST_TOGETHER = 16 * 2**20
"""Of all manifests of an image: they are held at a time."""
GENERATIONS = 3
"""How far is gone from an image to what is about it, to what is about that, and so on; signed SBOMs are two."""
DESCRIBED_A_CALL = 100
LONGEST_NAME = 120
Name = TypeVar("Name", Digest, Tag)
_ACTIVE = "ACTIVE"
_NOT_THERE = "ImageNotFound"


class _Got(NamedTuple):
    """One image of BatchGetImage's answer."""

    digest: Digest
    tag: Tag | None
    text: str
    media_type: str

    def stored(self, repository: RepositoryName) -> StoredManifest:
        """Its manifest. Raises Refused where it is not what its digest says, or can't be read."""
        if len(self.text) > MOST_CHARACTERS:
            raise Refused(
                f"the manifest {self.digest} of {repository} is longer than the {MOST_CHARACTERS} characters of ECR"
            )
        counted = f"sha256:{hashlib.sha256(self.text.encode()).hexdigest()}"
        if counted != self.digest:
            raise Refused(f"the manifest {self.digest} of {repository} came as {counted}: push the image anew")
        try:
            return StoredManifest(self.digest, self.text, self.media_type, parts(self.text))
        except Invalid as error:
            raise Refused(f"the manifest {self.digest} of {repository} can't be read: {error}") from None


class ImageContents:
    """The images of one registry."""

    def __init__(self, client: "ECRClient") -> None:
        """`client` is an ECR client."""
        self._client = client

    def whole(self, image: ImageId) -> WholeImage:
        """The image with everything that belongs to it.

        Raises Refused where part of it is missing, is not what its digest says, or is more than we look at.
        """
        found: dict[Digest, StoredManifest] = {}
        names: dict[Tag, Digest] = {}
        left: set[Digest] = set()
        self._gather(image, [image.digest], found, required=True)
        fresh = list(found)
        for _ in range(GENERATIONS):
            named = self._named(image.repository, fresh)
            about = [*self._referrers(image.repository, fresh), *named.values()]
            names.update(named)
            before = set(found)
            self._gather(image, [one for one in about if one not in found and one not in left], found, required=False)
            left |= _take_out(found, before)
            fresh = [digest for digest in found if digest not in before]
            if not fresh:
                break
        held = {tag: digest for tag, digest in names.items() if digest in found}
        return WholeImage(image, found, held, frozenset(left))

    def _gather(
        self, image: ImageId, wanted: Iterable[Digest], found: dict[Digest, StoredManifest], *, required: bool
    ) -> None:
        """Add the manifests, and all that these list; what is about an image may have gone meanwhile."""
        waiting = list(dict.fromkeys(wanted))
        while waiting:
            if len(found) + len(waiting) > MOST_MANIFESTS:
                raise Refused(f"{image} has more than {MOST_MANIFESTS} manifests with all that is about it: too many")
            got = self._manifests(image.repository, waiting)
            missing = [digest for digest in waiting if digest not in got]
            if missing and required:
                raise Refused(f"{image} can't be read as a whole: {missing[0]} is not there, or is archived")
            found.update(got)
            if sum(len(manifest.text) for manifest in found.values()) > MOST_TOGETHER:
                raise Refused(f"{image} has manifests of more than {MOST_TOGETHER // 2**20} MiB together: too large")
            children = (child for manifest in got.values() for child in manifest.parts.children)
            waiting = [child for child in dict.fromkeys(children) if child not in found]
            required = True

    def _manifests(self, repository: RepositoryName, digests: Collection[Digest]) -> dict[Digest, StoredManifest]:
        """Those that are there, in the order asked for."""
        got: dict[Digest, StoredManifest] = {}
        for some in _batches(digests, MANIFESTS_A_CALL):
            images, absent = self._get(repository, [{"imageDigest": digest} for digest in some])
            if len(images) + absent < len(some):
                raise Unavailable(f"ECR gave {len(images)} of {len(some)} images of {repository}, and does not say why")
            got.update((image.digest, image.stored(repository)) for image in images)
        return {digest: got[digest] for digest in digests if digest in got}

    def _named(self, repository: RepositoryName, digests: Iterable[Digest]) -> dict[Tag, Digest]:
        """What stands under the tags that name what is about a manifest."""
        found: dict[Tag, Digest] = {}
        for some in _batches((name for digest in digests for name in names_about(digest)), MANIFESTS_A_CALL):
            images, _ = self._get(repository, [{"imageTag": name} for name in some])
            found.update((image.tag, image.digest) for image in images if image.tag)
        return found

    def _get(self, repository: RepositoryName, ids: "Sequence[ImageIdentifierTypeDef]") -> tuple[list[_Got], int]:
        """Those that are there, and how many are not. Raises Refused, Unavailable."""
        answer = self._client.batch_get_image(
            repositoryName=repository,
            imageIds=ids,
            acceptedMediaTypes=[*MANIFEST_TYPES, ARTIFACT_TYPE],
        )
        with answers.whole("BatchGetImage"):
            for failure in answer["failures"]:
                _check_failure(repository, failure)
            return [_got(image) for image in answer["images"]], len(answer["failures"])

    def _referrers(self, repository: RepositoryName, digests: Iterable[Digest]) -> Iterator[Digest]:
        """What names a manifest as its subject, those in the archive left out; read to the last page."""
        for digest in digests:
            more: dict[str, str] = {}
            while True:
                answer = self._client.list_image_referrers(
                    repositoryName=repository,
                    subjectId={"imageDigest": digest},
                    maxResults=REFERRERS_A_PAGE,
                    **more,  # type: ignore[arg-type] # nextToken, or nothing
                )
                with answers.whole("ListImageReferrers"):
                    referrers = answer["referrers"]
                    yield from (
                        Digest(one["digest"]) for one in referrers if one.get("artifactStatus", _ACTIVE) == _ACTIVE
                    )
                if not answer.get("nextToken"):
                    break
                more = {"nextToken": answer["nextToken"]}

    def present(self, repository: RepositoryName, digests: Collection[Digest]) -> frozenset[Digest]:
        """Which of the images are there, and not archived; by DescribeImages, which is no pull.

        It says nothing of any where one is not there: then each is asked for by itself.
        """
        try:
            return frozenset(self._described(repository, digests))
        except ClientError as error:
            if answers.code(error) == "RepositoryNotFoundException":
                return frozenset()
            if answers.code(error) != "ImageNotFoundException":
                raise
        if len(digests) == 1:
            return frozenset()
        return frozenset(digest for digest in digests if self.present(repository, [digest]))

    def _described(self, repository: RepositoryName, digests: Collection[Digest]) -> Iterator[Digest]:
        for some in _batches(digests, DESCRIBED_A_CALL):
            answer = self._client.describe_images(
                repositoryName=repository, imageIds=[{"imageDigest": digest} for digest in some]
            )
            with answers.whole("DescribeImages"):
                for detail in answer["imageDetails"]:
                    if detail.get("imageStatus", _ACTIVE) == _ACTIVE:
                        yield Digest(detail["imageDigest"])


def _take_out(found: dict[Digest, StoredManifest], before: Collection[Digest]) -> set[Digest]:
    """Leave out what is said to be about the image and can run itself, and what lists it; what was left out.

    Whoever may push can say so of any image, and none goes to a release repository without a verdict of its own.
    """
    out: set[Digest] = set()
    while True:
        more = {
            digest
            for digest, manifest in found.items()
            if digest not in before and (manifest.parts.can_run or out.intersection(manifest.parts.children))
        }
        if not more:
            return out
        out |= more
        for digest in more:
            del found[digest]


def _batches(whole: Iterable[Name], size: int) -> Iterator[list[Name]]:
    rest = iter(whole)
    while some := list(islice(rest, size)):
        yield some


def _check_failure(repository: RepositoryName, failure: Mapping[str, Any]) -> None:
    """That an image is not there is no trouble; what an image names and nobody can have is refused for good."""
    if failure["failureCode"].startswith("Invalid"):
        wrong = clean(str(failure.get("imageId")), LONGEST_NAME)
        raise Refused(f"an image of {repository} names another that can't be: {wrong}")
    if failure["failureCode"] != _NOT_THERE:
        raise Unavailable(f"ECR did not give an image of {repository}: {failure['failureCode']}")


def _got(image: Mapping[str, Any]) -> _Got:
    tag = image["imageId"].get("imageTag")
    return _Got(
        Digest(image["imageId"]["imageDigest"]),
        Tag(tag) if tag else None,
        image["imageManifest"],
        image.get("imageManifestMediaType") or "",
    )
