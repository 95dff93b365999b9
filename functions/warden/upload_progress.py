"""How far the uploads of layers are that an invocation had to leave, so that another can go on with them.

In the ledger's table, under keys of their own, for some hours: ECR does not say how long it keeps an upload, and
whoever goes on with one that is gone begins anew.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.blobs import Begun, Layer, Upload
from warden.ledger import epoch
from warden.names import RepositoryName

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(hours=6)


class UploadProgress:
    """The uploads to one registry: ids of uploads of other registries mean nothing there."""

    def __init__(self, client: "DynamoDBClient", table: str, *, registry: str, now: datetime) -> None:
        """`registry` tells the target's account and region from others; `now` is when this invocation began."""
        self._client = client
        self._table = table
        self._registry = registry
        self._now = now

    def of(self, repository: RepositoryName, layer: Layer) -> Begun | None:
        """How far the layer's upload is; None where none was left."""
        item = self._client.get_item(TableName=self._table, Key=self._key(repository, layer), ConsistentRead=True).get(
            "Item"
        )
        if item is None or int(item["expires_at"]["N"]) <= self._now.timestamp():
            return None
        return Begun(Upload(item["upload"]["S"], int(item["next_byte"]["N"])), int(item["part_size"]["N"]))

    def keep(self, repository: RepositoryName, layer: Layer, begun: Begun) -> None:
        """Remember how far the layer's upload is."""
        self._client.put_item(
            TableName=self._table,
            Item={
                **self._key(repository, layer),
                "upload": {"S": begun.upload.id},
                "next_byte": {"N": str(begun.upload.next_byte)},
                "part_size": {"N": str(begun.part_size)},
                "expires_at": {"N": epoch(self._now + KEPT)},
            },
        )

    def forget(self, repository: RepositoryName, layer: Layer) -> None:
        """Nothing of the layer is left to be sent, or its upload is of no use."""
        self._client.delete_item(TableName=self._table, Key=self._key(repository, layer))

    def _key(self, repository: RepositoryName, layer: Layer) -> dict[str, Any]:
        return {"pk": {"S": f"upload#{self._registry}/{repository}"}, "sk": {"S": layer.digest}}
