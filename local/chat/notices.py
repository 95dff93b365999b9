"""Sample notices, one of each kind: as the code makes them, and of what is still to come as it was agreed to look.

`make pictures` draws them for the documentation, and the tests draw them in every product.
"""

from collections.abc import Mapping

from local.chat import promotion_notices, prune_notices, quarantine_notices, registry_notices, told_notices
from local.chat.image_notices import NEW_CRITICALS
from warden.notices import Notice

__all__ = ["KINDS", "NEW_CRITICALS"]

KINDS: Mapping[str, Notice] = {
    "new-criticals": told_notices.NEW_CRITICALS,
    "clean-after-dirty": told_notices.CLEAN_AFTER_DIRTY,
    "drift-corrected": told_notices.DRIFT_CORRECTED,
    "prune-report": prune_notices.REPORT,
    "prune-done": prune_notices.DONE,
    "prune-refused": prune_notices.REFUSED,
    "promoted": promotion_notices.PROMOTED,
    "quarantined": quarantine_notices.BY_TAGS,
    "weekly-digest": registry_notices.WEEKLY_DIGEST,
    "needs-attention": told_notices.NEEDS_ATTENTION,
    "storm": told_notices.STORM,
}
"""Each kind, by the name that its pictures have."""
