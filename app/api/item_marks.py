"""The four marks of one item: by the person who holds it, or by a backend."""

from typing import Final

from app.db.inbox import Field

# Action: the field it sets, the value, and what the reference calls it.
MARKS: Final[dict[str, tuple[Field, bool, str]]] = {
    "read": ("read", True, "Mark a {} read"),
    "unread": ("read", False, "Mark a {} unread"),
    "archive": ("archived", True, "Archive a {}"),
    "unarchive": ("archived", False, "Unarchive a {}"),
}
