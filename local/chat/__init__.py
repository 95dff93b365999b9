"""A chat product on this machine: it takes what Slack's incoming webhooks take, and shows it as Slack would."""

from local.chat.server import Chat

__all__ = ["Chat"]
