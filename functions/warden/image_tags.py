"""Tags of images, given and taken: PutImage gives one to an image that is there; an image goes with its last one."""

from typing import TYPE_CHECKING

from warden import answers
from warden.errors import Refused
from warden.manifests import MANIFEST_TYPES
from warden.names import ImageId, Tag
from warden.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient


class TagTaken(Refused):
    """Another image has the tag, and it can't move."""


class ImageTags:
    """The tags of the registry's images."""

    def __init__(self, client: "ECRClient", registry: Registry) -> None:
        """`registry` says which tags an image has."""
        self._client = client
        self._registry = registry

    def put(self, image: ImageId, tag: Tag) -> None:
        """Give an image that is there a further tag; in a repository that lets the tag move, it moves.

        Raises TagTaken where another image has the tag and keeps it, and Refused where the image can't be read, or
        takes no more tags.
        """
        answer = self._client.batch_get_image(
            repositoryName=image.repository,
            imageIds=[{"imageDigest": image.digest}],
            acceptedMediaTypes=list(MANIFEST_TYPES),
        )
        with answers.whole("BatchGetImage"):
            if answer["failures"]:
                raise Refused(f"{image} can't be tagged {tag}: {answer['failures'][0]['failureCode']}")
            manifest = answer["images"][0]["imageManifest"]
            media_type = answer["images"][0].get("imageManifestMediaType")
        try:
            self._client.put_image(
                repositoryName=image.repository,
                imageManifest=manifest,
                imageTag=tag,
                imageDigest=image.digest,
                **({"imageManifestMediaType": media_type} if media_type else {}),
            )
        except self._client.exceptions.ImageAlreadyExistsException:
            return  # it has the tag already: a repeated message
        except self._client.exceptions.LimitExceededException:
            raise Refused(f"{image} can't be tagged {tag}: it has as many tags as ECR allows") from None
        except self._client.exceptions.ImageTagAlreadyExistsException:
            raise TagTaken(f"{image} can't be tagged {tag}: another image has the tag, and it can't move") from None

    def take(self, image: ImageId, tag: Tag) -> None:
        """Take one tag from an image that has others: ECR deletes an image with its last tag.

        Raises Refused where it is the last, or ECR won't.
        """
        now = self._registry.image(image)
        if now is None or tag not in now.tags:
            return
        if len(now.tags) == 1:
            raise Refused(f"{tag} is the last tag of {image}: taking it would delete the image")
        answer = self._client.batch_delete_image(repositoryName=image.repository, imageIds=[{"imageTag": tag}])
        with answers.whole("BatchDeleteImage"):
            if answer["failures"]:
                raise Refused(f"{tag} can't be taken from {image}: {answer['failures'][0]['failureCode']}")
