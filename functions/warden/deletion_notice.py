"""What the warden says to those whose repository it has deleted: the sweep's summary may go to others."""

from datetime import datetime

from warden import console
from warden.actions import Deed
from warden.events import Home
from warden.notices import Fact, Level, Notice, code, link, notice_id, plain


def deletion(deed: Deed, *, sweep: str, at: datetime, home: Home) -> Notice:
    """The notice of a repository that was deleted in a sweep, which began `at`."""
    action = deed.action
    return Notice(
        id=notice_id(sweep, action.repository, str(deed)),
        kind="sweep",
        level=Level.CHANGE,
        title=f"empty repository {action.repository} was deleted",
        subject=action.repository,
        summary=(code(action.repository), plain(f": {action.before}. {_sentence(action.reason)}")),
        facts=(Fact("Repository", action.repository), Fact("Rule", action.origin)),
        next_step=(
            plain("Needed after all? "),
            code(f"warden why {action.repository}"),
            plain(" has all that it takes to make it again. A rule with "),
            code("empty: {mode: off}"),
            plain(" spares it then."),
        ),
        links=(link("Open ECR", console.page(home, f"private-registry/repositories?region={home.region}")),),
        footer=console.footer(home, action.repository),
        at=at.isoformat(),
    )


def _sentence(text: str) -> str:
    """The text as a sentence of its own.

    >>> _sentence("nobody needs it")
    'Nobody needs it.'
    """
    return f"{text[:1].upper()}{text[1:]}."
