"""What an inbox is, worked out in Python from the bare tables and the contract's definitions.

None of the database's own functions or maintained counters is asked: those are what is under test.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.contract import ids, timestamps
from app.contract.ids import Source
from app.db.inbox import View
from app.db.pool import Connection


class Line(msgspec.Struct, frozen=True):
    """A visible item. us: when it became visible."""

    source: Source
    id: str
    category: str
    us: int
    read: bool
    archived: bool
    seen: bool
    muted: bool

    def is_in(self, view: View) -> bool:
        if self.muted or self.archived != (view == "archived"):
            return False
        return view != "unread" or not self.read


class Truth(msgspec.Struct, frozen=True):
    """lines: newest first; at an equal time a notification comes before a broadcast."""

    inbox_id: UUID
    created_at: datetime
    lines: list[Line]
    unread_kept: dict[str, int]  # the maintained counters, as they stand in inbox_categories
    unseen_kept: dict[str, int]

    def view(self, view: View) -> list[Line]:
        return [line for line in self.lines if line.is_in(view)]

    @property
    def unread(self) -> int:
        return len(self.view("unread"))

    @property
    def unseen(self) -> int:
        return sum(not line.seen and not line.muted for line in self.lines)

    def by_category(self) -> dict[str, tuple[int, int]]:
        """(unread, unseen) of each unmuted category that has any."""
        unread = Counter(line.category for line in self.view("unread"))
        unseen = Counter(line.category for line in self.lines if not line.seen and not line.muted)
        return {category: (unread[category], unseen[category]) for category in unread | unseen}

    def check_kept(self) -> None:
        """The maintained counters are those of the direct items, muted ones included."""
        direct = [line for line in self.lines if line.source == "notification"]
        unread = Counter(line.category for line in direct if not line.read and not line.archived)
        unseen = Counter(line.category for line in direct if not line.seen)
        assert {category: unread[category] for category in self.unread_kept} == self.unread_kept
        assert {category: unseen[category] for category in self.unseen_kept} == self.unseen_kept
        assert set(unread | unseen) <= set(self.unread_kept)


_SELECT_INBOX: Final = """
SELECT i.*, s.created_at FROM subscribers s
JOIN inboxes i ON i.environment_id = s.environment_id AND i.id = s.id
WHERE s.environment_id = $1 AND s.subscriber_id = $2
"""

_SELECT_ITEMS: Final = """
SELECT 'notification' AS source, n.id, n.position, n.category, n.read, n.archived
FROM notifications n WHERE n.environment_id = $1 AND n.inbox_id = $2
UNION ALL
SELECT 'broadcast', b.id, b.position, b.category, o.read, o.archived
FROM broadcasts b
LEFT JOIN broadcast_overrides o
    ON o.environment_id = b.environment_id AND o.inbox_id = $2 AND o.position = b.position
WHERE b.environment_id = $1
"""

_SELECT_MUTED: Final = "SELECT category FROM preferences WHERE environment_id = $1 AND inbox_id = $2"

_SELECT_KEPT: Final = """
SELECT category, unread, unseen FROM inbox_categories WHERE environment_id = $1 AND inbox_id = $2
"""


async def select_truth(connection: Connection, environment_id: UUID, person: str) -> Truth | None:
    """None for an unknown person. Of one instant only inside a repeatable-read transaction."""
    box = await connection.fetchrow(_SELECT_INBOX, environment_id, person)
    if box is None:
        return None
    muted = {row[0] for row in await connection.fetch(_SELECT_MUTED, environment_id, box["id"])}
    kept = await connection.fetch(_SELECT_KEPT, environment_id, box["id"])
    lines: list[Line] = []
    for row in await connection.fetch(_SELECT_ITEMS, environment_id, box["id"]):
        source: Source = row["source"]
        position: UUID = row["position"]
        us = timestamps.position_us(position)
        if source == "broadcast" and us < timestamps.to_us(box["created_at"]):
            continue
        lines.append(
            Line(
                source=source,
                id=ids.encode_item(source, row["id"]),
                category=row["category"],
                us=us,
                read=_covered(row["read"], position, box[f"read_{source}"]),
                archived=_covered(row["archived"], position, box[f"archive_{source}"]),
                seen=position <= box[f"seen_{source}"],
                muted=row["category"] in muted,
            )
        )
    return Truth(
        inbox_id=box["id"],
        created_at=box["created_at"],
        lines=_newest_first(lines),
        unread_kept={row["category"]: row["unread"] for row in kept},
        unseen_kept={row["category"]: row["unseen"] for row in kept},
    )


def _covered(override: bool | None, position: UUID, watermark: UUID) -> bool:  # noqa: FBT001
    """An override decides; without one, the watermark."""
    return position <= watermark if override is None else override


def _newest_first(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (-line.us, line.source == "broadcast"))
