"""News that is held back for a moment, so that what concerns many images becomes one message; in the ledger's table.

An episode of a channel begins with the first news and is closed when no more come. News joins the open episode, and
looks afterwards whether it was closed meanwhile: then it asks for the episode to be told once more, which tells what
was not told yet. So nothing is lost between a late writer and an early reader.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from warden.ledger import epoch, items_under
from warden.news import News, from_json, to_json

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=7)
LONGEST = timedelta(minutes=15)
"""How long an episode is joined at most; if whoever was to close it is dead by then, a new one begins."""
_OPEN, _CLOSED, _NEWS = {"S": "open"}, {"S": "closed"}, "news#"


class Joined(NamedTuple):
    """The episode that news joined: whether it began it, and whether it was closed before the news was in it."""

    episode: str
    began: bool
    late: bool


class HeldNews:
    """The news that is held back, by channel and episode."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`client` is a DynamoDB client, `table` the ledger's table."""
        self._client = client
        self._table = table
        self._exceptions = client.exceptions

    def join(self, channel: str, news: News, *, owner: str, now: datetime) -> Joined:
        """Hold the news in the channel's open episode; a repetition by the same `owner` joins the same way."""
        episode, began = self._open(channel, owner, now)
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": _key(channel, episode)},
                "sk": {"S": f"{_NEWS}{news.id}"},
                "news": {"S": to_json(news)},
                "expires_at": {"N": epoch(now + KEPT)},
            },
        )
        return Joined(episode, began, self._is_closed(channel, episode))

    def _open(self, channel: str, owner: str, now: datetime) -> tuple[str, bool]:
        """The open episode, and whether this owner begins it."""
        episode = f"{now.isoformat()} {owner}"
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"storm#{channel}"},
                    "sk": _OPEN,
                    "episode": {"S": episode},
                    "holder": {"S": owner},
                    "until": {"N": epoch(now + LONGEST)},
                    "expires_at": {"N": epoch(now + KEPT)},
                },
                ConditionExpression="attribute_not_exists(pk) OR #until <= :now",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":now": {"N": epoch(now)}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._exceptions.ConditionalCheckFailedException as refusal:
            held: Mapping[str, Any] = refusal.response["Item"]  # type: ignore[typeddict-item]
            return held["episode"]["S"], held["holder"]["S"] == owner
        return episode, True

    def waiting(self, channel: str, episode: str) -> tuple[News, ...]:
        """The news of the episode that was not told yet, in the order of its ids."""
        items = items_under(self._client, self._table, _key(channel, episode), _NEWS)
        return tuple(from_json(item["news"]["S"]) for item in items if "told" not in item)

    def close(self, channel: str, episode: str, *, now: datetime) -> None:
        """Let no more news join: what comes from now on begins another episode, or knows that it is late."""
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": _key(channel, episode)},
                "sk": _CLOSED,
                "expires_at": {"N": epoch(now + KEPT)},
            },
        )
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"storm#{channel}"},
                    "sk": _OPEN,
                    "episode": {"S": episode},
                    "holder": {"S": ""},
                    "until": {"N": "0"},
                    "expires_at": {"N": epoch(now + KEPT)},
                },
                ConditionExpression="episode = :episode",
                ExpressionAttributeValues={":episode": {"S": episode}},
            )
        except self._exceptions.ConditionalCheckFailedException:
            return  # another has begun since

    def tell(self, channel: str, episode: str, told: Iterable[News], *, now: datetime) -> None:
        """Remember that the news was told."""
        for news in told:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": _key(channel, episode)},
                    "sk": {"S": f"{_NEWS}{news.id}"},
                    "told": {"BOOL": True},
                    "expires_at": {"N": epoch(now + KEPT)},
                },
            )

    def _is_closed(self, channel: str, episode: str) -> bool:
        key = {"pk": {"S": _key(channel, episode)}, "sk": _CLOSED}
        return "Item" in self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)


def _key(channel: str, episode: str) -> str:
    return f"storm#{channel}#{episode}"
