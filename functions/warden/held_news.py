"""News that is held back for a moment, so that what concerns many images becomes one message; in the ledger's table.

An episode of a channel begins with the first news and is closed when no more come. Whoever joins one of which nobody
has asked yet that it be told asks for it: who began it may be dead. News joins the open episode, and
looks afterwards whether it was closed meanwhile: then it asks for the episode to be told once more, which tells what
was not told yet. So nothing is lost between a late writer and an early reader.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from warden.ledger import epoch, items_under
from warden.news import News, from_json, to_json

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=7)
LONGEST = timedelta(minutes=15)
"""How long an episode is joined at most; if whoever was to close it is dead by then, a new one begins."""
_OPEN, _CLOSED, _ASKED, _NEWS, _TOLD = "open", "closed", "asked", "news#", "told#"
_AT_ONCE = 5_000
"""As many ids are in one item: some 110 KB, of the 400 that DynamoDB takes."""


class Joined(NamedTuple):
    """The episode that news joined: whether nobody asked yet that it be told, and whether it was closed meanwhile."""

    episode: str
    unasked: bool
    late: bool


class HeldNews:
    """The news that is held back, by channel and episode."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`client` is a DynamoDB client, `table` the ledger's table."""
        self._client = client
        self._table = table
        self._exceptions = client.exceptions

    def join(self, channel: str, news: News, *, owner: str, now: datetime) -> Joined:
        """Hold the news in the channel's open episode; whoever finds it unasked asks, and says so by `asked`."""
        episode = self._open(channel, owner, now)
        self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": _key(channel, episode)},
                "sk": {"S": f"{_NEWS}{news.id}"},
                "news": {"S": to_json(news)},
                "expires_at": {"N": epoch(now + KEPT)},
            },
        )
        return Joined(episode, not self._has(channel, episode, _ASKED), self._has(channel, episode, _CLOSED))

    def asked(self, channel: str, episode: str, *, now: datetime) -> None:
        """Remember that somebody asked for the episode to be told, so that others need not."""
        self._mark(channel, episode, _ASKED, now)

    def _open(self, channel: str, owner: str, now: datetime) -> str:
        """The open episode, which this owner begins where there is none."""
        episode = f"{now.isoformat()} {owner}"
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"storm#{channel}"},
                    "sk": {"S": _OPEN},
                    "episode": {"S": episode},
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
            name: str = held["episode"]["S"]
            return name
        return episode

    def waiting(self, channel: str, episode: str) -> tuple[News, ...]:
        """The news of the episode that was not told yet, the oldest first."""
        items = items_under(self._client, self._table, _key(channel, episode), _NEWS)
        told = {f"{_NEWS}{id}" for item in items if "ids" in item for id in item["ids"]["SS"]}
        news = (from_json(item["news"]["S"]) for item in items if "news" in item and item["sk"]["S"] not in told)
        return tuple(sorted(news, key=lambda one: (one.at, one.id)))

    def close(self, channel: str, episode: str, *, now: datetime) -> None:
        """Let no more news join: what comes from now on begins another episode, or knows that it is late."""
        self._mark(channel, episode, _CLOSED, now)
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"storm#{channel}"},
                    "sk": {"S": _OPEN},
                    "episode": {"S": episode},
                    "until": {"N": "0"},
                    "expires_at": {"N": epoch(now + KEPT)},
                },
                ConditionExpression="episode = :episode",
                ExpressionAttributeValues={":episode": {"S": episode}},
            )
        except self._exceptions.ConditionalCheckFailedException:
            return  # another has begun since

    def tell(self, channel: str, episode: str, told: Iterable[News], *, now: datetime) -> None:
        """Remember that the news was told: in one write for thousands, so that no death comes between them."""
        rest = iter(told)
        while ids := [news.id for news in islice(rest, _AT_ONCE)]:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": _key(channel, episode)},
                    "sk": {"S": f"{_TOLD}{ids[0]}"},
                    "ids": {"SS": ids},
                    "expires_at": {"N": epoch(now + KEPT)},
                },
            )

    def _mark(self, channel: str, episode: str, mark: str, now: datetime) -> None:
        self._client.put_item(
            TableName=self._table,
            Item={"pk": {"S": _key(channel, episode)}, "sk": {"S": mark}, "expires_at": {"N": epoch(now + KEPT)}},
        )

    def _has(self, channel: str, episode: str, mark: str) -> bool:
        key = {"pk": {"S": _key(channel, episode)}, "sk": {"S": mark}}
        return "Item" in self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)


def _key(channel: str, episode: str) -> str:
    return f"storm#{channel}#{episode}"
