"""Chat on this machine: it takes what Slack, Teams, Discord, Google Chat and signed webhooks take, and shows it."""

from local.chat.server import Chat

__all__ = ["Chat"]
