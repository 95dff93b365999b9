"""The layers of one registry, as ECR's API takes and gives them: in parts, and by addresses that live for an hour.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchCheckLayerAvailability.html,
API_GetDownloadUrlForLayer.html, API_InitiateLayerUpload.html, API_UploadLayerPart.html, API_CompleteLayerUpload.html
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from warden import answers
from warden.blobs import Begun, Layer, Upload, UploadLost, part_size_for
from warden.errors import Refused
from warden.names import RepositoryName
from warden.text import clean

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

__all__ = ["Layer", "LayerStore", "Upload"]

MOST_CHECKED = 100
"""Layers that one BatchCheckLayerAvailability takes."""
_LOST = "UploadNotFoundException"
_REASON = 300


class LayerStore:
    """The layers of one account's registry in one region."""

    def __init__(self, client: "ECRClient") -> None:
        """`client` retries: no call of these does harm where it is done twice."""
        self._client = client

    def missing(self, repository: RepositoryName, layers: Sequence[Layer]) -> tuple[Layer, ...]:
        """Those of the layers that the repository does not have, or has in archived images only.

        Raises Refused where ECR does not know what a digest is.
        """
        there: set[str] = set()
        digests = list(dict.fromkeys(layer.digest for layer in layers))
        for start in range(0, len(digests), MOST_CHECKED):
            batch = digests[start : start + MOST_CHECKED]
            answer = self._client.batch_check_layer_availability(repositoryName=repository, layerDigests=batch)
            with answers.whole("BatchCheckLayerAvailability"):
                for failure in answer["failures"]:
                    raise Refused(
                        f"ECR can't say whether {repository} has the blob {clean(failure['layerDigest'], 80)}: "
                        f"{clean(failure['failureReason'], _REASON)}. Build and push the image anew"
                    )
                states = {layer["layerDigest"]: layer["layerAvailability"] for layer in answer["layers"]}
                there.update(digest for digest in batch if states[digest] == "AVAILABLE")
        return tuple(layer for layer in layers if layer.digest not in there)

    def address(self, repository: RepositoryName, layer: Layer) -> str:
        """Where the layer can be downloaded for an hour; a password, which belongs into no log and no error.

        Raises Refused where the repository has it no more.
        """
        try:
            answer = self._client.get_download_url_for_layer(repositoryName=repository, layerDigest=layer.digest)
        except ClientError as error:
            raise _refused(
                error,
                {
                    "LayersNotFoundException": f"{repository} does not have the blob {layer} that its image is made of",
                    "LayerInaccessibleException": f"{repository} does not give the blob {layer}: it is archived, or no "
                    "image needs it any more",
                    "RepositoryNotFoundException": f"{repository} is gone, and its blob {layer} with it",
                },
                "Push the image anew, or restore it",
            ) from None
        with answers.whole("GetDownloadUrlForLayer"):
            return answer["downloadUrl"]

    def begin(self, repository: RepositoryName, layer: Layer) -> Begun:
        """Begin to upload the layer. Raises Refused where it would be more parts than ECR takes."""
        try:
            answer = self._client.initiate_layer_upload(repositoryName=repository)
        except ClientError as error:
            raise _refused(error, _refusals(repository, layer), "Look at the repository, then promote again") from None
        with answers.whole("InitiateLayerUpload"):
            return Begun(Upload(answer["uploadId"], 0), part_size_for(layer, answer["partSize"]))

    def add(self, repository: RepositoryName, upload: Upload, part: bytearray) -> Upload:
        """Send the part that begins at the upload's next byte; the upload as it is then.

        Where ECR has another byte in mind, because an answer of its was lost or another invocation went on with the
        upload, nothing of the part was taken, and the upload goes on at ECR's byte. Raises UploadLost, and Refused
        where ECR won't have the part.
        """
        first, last = upload.next_byte, upload.next_byte + len(part) - 1
        try:
            answer = self._client.upload_layer_part(
                repositoryName=repository,
                uploadId=upload.id,
                partFirstByte=first,
                partLastByte=last,
                layerPartBlob=cast("bytes", part),  # botocore takes either
            )
        except ClientError as error:
            if answers.code(error) == _LOST:
                raise UploadLost(f"ECR knows an upload to {repository} no more") from None
            if answers.code(error) == "InvalidLayerPartException":
                return _where_ecr_is(repository, upload, error)
            raise _refused(
                error,
                {
                    "LimitExceededException": f"ECR takes no more parts of an upload to {repository}",
                    "RepositoryNotFoundException": f"{repository} is gone, and what was sent to it with it",
                    "KmsException": f"{repository} can't encrypt what it is sent",
                },
                "Look at the repository, then promote again",
            ) from None
        with answers.whole("UploadLayerPart"):
            return Upload(upload.id, answer["lastByteReceived"] + 1)

    def finish(self, repository: RepositoryName, upload: Upload, layer: Layer) -> None:
        """Let ECR put the parts together and hold them against the digest; a layer that is there already is as good.

        Raises UploadLost, and Refused where the parts are not the layer.
        """
        try:
            self._client.complete_layer_upload(
                repositoryName=repository, uploadId=upload.id, layerDigests=[layer.digest]
            )
        except ClientError as error:
            if answers.code(error) == "LayerAlreadyExistsException":
                return
            if answers.code(error) == _LOST:
                if not self.missing(repository, [layer]):
                    return  # a first call did it, and its answer was lost
                raise UploadLost(f"ECR knows the upload of {layer} to {repository} no more") from None
            raise _refused(error, _refusals(repository, layer), "Push the image anew, then promote again") from None


def _refusals(repository: RepositoryName, layer: Layer) -> dict[str, str]:
    return {
        "InvalidLayerException": f"what was sent to {repository} is not the blob {layer}",
        "LayerPartTooSmallException": f"ECR found a part of the blob {layer} for {repository} too small",
        "EmptyUploadException": f"ECR found the blob {layer} for {repository} empty",
        "RepositoryNotFoundException": f"{repository} is gone, so the blob {layer} can't be sent to it",
        "KmsException": f"{repository} can't encrypt the blob {layer}",
    }


def _refused(error: ClientError, refusals: dict[str, str], advice: str) -> Exception:
    """What no retry mends is Refused; anything else stays as it is."""
    refusal = refusals.get(answers.code(error))
    return error if refusal is None else Refused(f"{refusal}. ECR says: {_said(error)}. {advice}")


def _said(error: ClientError) -> str:
    return clean(answers.message(error), _REASON).rstrip(".")


def _where_ecr_is(repository: RepositoryName, upload: Upload, error: ClientError) -> Upload:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UploadLayerPart.html#API_UploadLayerPart_Errors."""
    last = error.response.get("lastValidByteReceived")
    if not isinstance(last, int):
        raise UploadLost(f"ECR did not say where an upload to {repository} goes on: {_said(error)}") from None
    return Upload(upload.id, max(0, last + 1))
