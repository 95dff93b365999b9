"""Amazon ECR, as the handlers see it: named by what we want to know or to do, with its pages and refusals hidden."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden import answers
from warden.actions import Action, ActionKind
from warden.errors import Refused, Unavailable
from warden.findings import Scan, ScanState
from warden.images import Image
from warden.manifests import MANIFEST_TYPES, Manifest, Platform, read_manifest
from warden.names import Digest, ImageId, RepositoryName, Tag
from warden.observations import RegistryScanning, RepositorySettings
from warden.scan_results import scan_of

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

FINDINGS_A_PAGE = 500
IMAGES_A_PAGE = 1000
REPOSITORIES_A_PAGE = 1000
MOST_PLATFORMS = 100
"""Real indexes list a dozen."""


class ScanStart(StrEnum):
    """What came of asking for a scan."""

    STARTED = "scan started"
    KNOWN = "scanned within the last 24 hours: that result counts"
    UNSUPPORTED = "not of a type that ECR scans"
    ARCHIVED = "archived, and archived images are not scanned"
    GONE = "gone before its scan"


_REFUSALS = {
    "LimitExceededException": ScanStart.KNOWN,
    "UnsupportedImageTypeException": ScanStart.UNSUPPORTED,
    "ImageArchivedException": ScanStart.ARCHIVED,
    "ImageNotFoundException": ScanStart.GONE,
    "RepositoryNotFoundException": ScanStart.GONE,
}
_GONE = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})
_WRONG = frozenset({"InvalidParameterException", "ValidationException"})


class Registry:
    """The account's private registry in one region."""

    def __init__(self, client: "ECRClient", once_client: "ECRClient") -> None:
        """`client` retries; `once_client` does not.

        StartImageScan answers LimitExceededException for an image that was scanned today, which the SDK's standard
        retries take for throttling and repeat for half a minute. So scans are started without them; the queue's own
        retries do the same for throttling.
        """
        self._client = client
        self._once_client = once_client

    def image(self, image: ImageId) -> Image | None:
        """The image as it is now, or None where it is gone."""
        return self._image(image.repository, {"imageDigest": image.digest})

    def tagged(self, repository: RepositoryName, tag: Tag) -> Image | None:
        """The image that has the tag now, or None where none has it."""
        return self._image(repository, {"imageTag": tag})

    def _image(self, repository: RepositoryName, identifier: "ImageIdentifierTypeDef") -> Image | None:
        try:
            answer = self._client.describe_images(repositoryName=repository, imageIds=[identifier])
        except ClientError as error:
            if answers.code(error) in _GONE:
                return None
            raise
        with answers.whole("DescribeImages"):
            return answers.image(repository, answer["imageDetails"][0])

    def images(self, repository: RepositoryName, *, most: int | None = None) -> Iterator[Image]:
        """The images of the repository, a thousand in a call; no more than so many, where `most` says so."""
        pages = self._client.get_paginator("describe_images").paginate(
            repositoryName=repository,
            PaginationConfig={"PageSize": IMAGES_A_PAGE, **({} if most is None else {"MaxItems": most})},
        )
        for page in pages:
            with answers.whole("DescribeImages"):
                details = page["imageDetails"]
            yield from (answers.image(repository, detail) for detail in details)

    def manifest(self, image: ImageId) -> Manifest | None:
        """The image's manifest as it was pushed, or None where it is gone."""
        try:
            answer = self._client.batch_get_image(
                repositoryName=image.repository,
                imageIds=[{"imageDigest": image.digest}],
                acceptedMediaTypes=list(MANIFEST_TYPES),
            )
        except ClientError as error:
            if answers.code(error) in _GONE:
                return None
            raise
        with answers.whole("BatchGetImage"):
            for failure in answer["failures"]:
                if failure["failureCode"] == "ImageNotFound":
                    return None
                raise Unavailable(f"ECR did not give {image}: {failure['failureCode']}")
            return read_manifest(answer["images"][0]["imageManifest"])

    def platforms(self, index: ImageId, manifest: Manifest) -> tuple[Platform, ...]:
        """The platform images that an index lists, by itself or through indexes that it lists.

        Raises Refused where there are more than a real index has: each one costs calls.
        """
        found: dict[Digest, Platform] = {}
        waiting = [manifest]
        read = 0
        while waiting:
            current = waiting.pop()
            found.update((platform.digest, platform) for platform in current.platforms)
            read += len(current.nested)
            if max(read, len(found)) > MOST_PLATFORMS:
                raise Refused(f"{index} lists more than {MOST_PLATFORMS} images: that is more than we look at")
            nested = (self.manifest(ImageId(index.repository, digest)) for digest in current.nested)
            waiting.extend(manifest for manifest in nested if manifest)
        return tuple(found.values())

    def start_scan(self, image: ImageId) -> ScanStart:
        """Start a basic scan. Raises Refused where ECR won't for a reason that no retry mends."""
        try:
            self._once_client.start_image_scan(repositoryName=image.repository, imageId={"imageDigest": image.digest})
        except ClientError as error:
            if refusal := _REFUSALS.get(answers.code(error)):
                return refusal
            if answers.code(error) in _WRONG:
                raise Refused(f"ECR does not scan {image}: {answers.message(error)}") from None
            raise
        return ScanStart.STARTED

    def scan(self, image: ImageId) -> Scan | None:
        """What the last scan of one manifest found, read to the last page; None where the image is gone.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
        """
        pages = self._client.get_paginator("describe_image_scan_findings").paginate(
            repositoryName=image.repository,
            imageId={"imageDigest": image.digest},
            PaginationConfig={"PageSize": FINDINGS_A_PAGE},
        )
        try:
            with answers.whole("DescribeImageScanFindings"):
                return scan_of(pages)
        except ClientError as error:
            if answers.code(error) == "ScanNotFoundException":
                return Scan(ScanState.UNKNOWN, "no scan of it is known")
            if answers.code(error) in _GONE:
                return None
            raise

    def scanning(self) -> RegistryScanning:
        """The registry's scanning configuration, which wins over the repositories' own settings."""
        answer = self._client.get_registry_scanning_configuration()
        with answers.whole("GetRegistryScanningConfiguration"):
            return answers.scanning(answer["scanningConfiguration"])

    def listing(self) -> Iterator[RepositorySettings]:
        """The settings of all repositories, a thousand in a call."""
        pages = self._client.get_paginator("describe_repositories").paginate(
            PaginationConfig={"PageSize": REPOSITORIES_A_PAGE}
        )
        for page in pages:
            with answers.whole("DescribeRepositories"):
                yield from map(answers.settings, page["repositories"])

    def settings(self, name: RepositoryName) -> RepositorySettings | None:
        """The repository's settings as they are now; None where it is gone."""
        described = self._describe(name)
        with answers.whole("DescribeRepositories"):
            return None if described is None else answers.settings(described)

    def repository_tags(self, name: RepositoryName, account: str) -> dict[str, str] | None:
        """The tags of the repository itself, not of its images; None where it is gone."""
        place = self._client.meta
        arn = f"arn:{place.partition}:ecr:{place.region_name}:{account}:repository/{name}"
        try:
            answer = self._client.list_tags_for_resource(resourceArn=arn)
        except self._client.exceptions.RepositoryNotFoundException:
            return None
        with answers.whole("ListTagsForResource"):
            return {tag["Key"]: tag["Value"] for tag in answer["tags"]}

    def lifecycle_policy(self, name: RepositoryName) -> str | None:
        """The text of the repository's lifecycle policy; None where there is none."""
        try:
            answer = self._client.get_lifecycle_policy(repositoryName=name)
        except ClientError as error:
            if answers.code(error) in _GONE | {"LifecyclePolicyNotFoundException"}:
                return None
            raise
        with answers.whole("GetLifecyclePolicy"):
            return answer["lifecyclePolicyText"]

    def access_policy(self, name: RepositoryName) -> str | None:
        """The text of the repository's own policy, which says who may use it; None where there is none."""
        try:
            answer = self._client.get_repository_policy(repositoryName=name)
        except ClientError as error:
            if answers.code(error) in _GONE | {"RepositoryPolicyNotFoundException"}:
                return None
            raise
        with answers.whole("GetRepositoryPolicy"):
            return answer["policyText"]

    def apply(self, action: Action) -> None:
        """Make the one change that the action describes. Raises Refused where ECR won't have it."""
        try:
            match action.kind:
                case ActionKind.SET_TAG_IMMUTABILITY:
                    self._set_tag_immutability(action)
                case ActionKind.SET_SCAN_ON_PUSH:
                    self._client.put_image_scanning_configuration(
                        repositoryName=action.repository,
                        imageScanningConfiguration={"scanOnPush": action.scan_on_push},
                    )
                case ActionKind.SET_ACCESS_POLICY:
                    self._client.set_repository_policy(
                        repositoryName=action.repository, policyText=action.access_policy
                    )
                case ActionKind.DELETE_ACCESS_POLICY:
                    self._delete_access_policy(action.repository)
                case ActionKind.PUT_LIFECYCLE_POLICY | ActionKind.DELETE_LIFECYCLE_POLICY:
                    raise Refused(f"{action.kind} of {action.repository}: that is for the prune function to do")
                case ActionKind.DELETE_REPOSITORY:
                    raise Refused(f"{action.kind} {action.repository}: that is for the sweep to do")
                case ActionKind.TAG_REPOSITORY | ActionKind.CHANGE_ENCRYPTION | ActionKind.REVIEW_ACCESS_POLICY:
                    raise Refused(f"{action.kind} of {action.repository}: that is for a person to do")
        except ClientError as error:
            raise _refused(action, error) from None

    def apply_lifecycle(self, action: Action) -> None:
        """Put or delete the lifecycle policy: only the prune function does. Raises Refused where ECR won't have it."""
        try:
            if action.kind is ActionKind.DELETE_LIFECYCLE_POLICY:
                self._delete_lifecycle_policy(action.repository)
            else:
                self._client.put_lifecycle_policy(
                    repositoryName=action.repository, lifecyclePolicyText=action.lifecycle_policy
                )
        except ClientError as error:
            raise _refused(action, error) from None

    def _set_tag_immutability(self, action: Action) -> None:
        """One call sets the mode and the filters: filters that are left out are dropped."""
        request: dict[str, Any] = {
            "repositoryName": action.repository,
            "imageTagMutability": action.immutability,
        }
        if action.exclusions:
            request["imageTagMutabilityExclusionFilters"] = [
                {"filterType": "WILDCARD", "filter": pattern} for pattern in action.exclusions
            ]
        self._client.put_image_tag_mutability(**request)

    def _delete_access_policy(self, repository: RepositoryName) -> None:
        try:
            self._client.delete_repository_policy(repositoryName=repository)
        except self._client.exceptions.RepositoryPolicyNotFoundException:
            return  # a repeated message, or a person was faster

    def _delete_lifecycle_policy(self, repository: RepositoryName) -> None:
        try:
            self._client.delete_lifecycle_policy(repositoryName=repository)
        except self._client.exceptions.LifecyclePolicyNotFoundException:
            return  # a repeated message, or a person was faster

    def _describe(self, name: RepositoryName) -> Mapping[str, Any] | None:
        try:
            answer = self._client.describe_repositories(repositoryNames=[name])
        except self._client.exceptions.RepositoryNotFoundException:
            return None
        with answers.whole("DescribeRepositories"):
            return answer["repositories"][0]


def _refused(action: Action, error: ClientError) -> Exception:
    """What ECR won't have for a reason that no retry mends is Refused; anything else stays as it is."""
    if answers.code(error) in _WRONG | _GONE:
        return Refused(f"ECR refused to {action.kind} of {action.repository}: {answers.message(error)}")
    return error
