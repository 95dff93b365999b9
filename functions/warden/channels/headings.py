"""What stands first in every product: how loud the notice is, as a sign and in words, never by colour alone."""

from warden.channels.room import fit
from warden.notices import Level, Notice
from warden.text import clip_middle

_SIGNS = {
    Level.CRITICAL: ("🔴", "Critical"),
    Level.HIGH: ("🟠", "High"),
    Level.ATTENTION: ("⚠️", "Attention"),
    Level.CHANGE: ("🔧", "Change"),
    Level.HELLO: ("👋", "Hello"),
    Level.GOOD: ("✅", "Good news"),
    Level.DIGEST: ("📊", "Digest"),
}


def heading(notice: Notice, limit: int, room: int) -> str:
    """The sign, the level in words where the title doesn't say it, and the title, cut in its middle.

    At most `limit` characters, which weigh no more than `room` as JSON without the sign.
    """
    sign, word = _SIGNS[notice.level]
    title = notice.title if word.lower() in notice.title.lower() else f"{word}: {notice.title}"
    return f"{sign} {fit(title, limit - len(sign) - 1, room, clip_middle).strip()}"
