"""What the gateway asks about the inboxes that are connected to it: always many at once."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from app.db.pool import Connection, fetch_one

SELECT_INBOX_IDS: Final = """
SELECT subscriber_id, id FROM subscribers WHERE environment_id = $1 AND subscriber_id = ANY ($2)
"""


async def select_inbox_ids(
    connection: Connection, environment_id: UUID, subscriber_ids: Sequence[str]
) -> dict[str, UUID]:
    """Inbox ids by subscriber id, of those that exist."""
    return dict(await connection.fetch(SELECT_INBOX_IDS, environment_id, subscriber_ids))


SELECT_VERSIONS: Final = """
SELECT i.id, public_version(i.version, h.version)
FROM inboxes i JOIN broadcast_heads h ON h.environment_id = i.environment_id
WHERE i.environment_id = $1 AND i.id = ANY ($2)
"""


async def select_versions(
    connection: Connection, environment_id: UUID, inbox_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """The public version of each inbox, without counting anything; erased ones are missing."""
    return dict(await connection.fetch(SELECT_VERSIONS, environment_id, inbox_ids))


# Arrays in the order asked: a row and a UUID for each inbox would cost the gateway more than the counting.
SELECT_COUNTS_ALONG: Final = """
SELECT array_agg(c.unread ORDER BY w.nth), array_agg(c.unseen ORDER BY w.nth),
       array_agg(c.version ORDER BY w.nth)
FROM unnest($2::uuid[]) WITH ORDINALITY AS w (inbox_id, nth)
LEFT JOIN inbox_counts($1, $2) c ON c.inbox_id = w.inbox_id
"""


class CountsAlong(msgspec.Struct, frozen=True):
    """The counts of many inboxes of one instant, in the order asked; None for those that are erased."""

    unread: list[int | None]
    unseen: list[int | None]
    version: list[int | None]


async def select_counts_along(
    connection: Connection, environment_id: UUID, inbox_ids: Sequence[UUID]
) -> CountsAlong:
    """inbox_ids: at least one, none twice."""
    return CountsAlong(*await fetch_one(connection, SELECT_COUNTS_ALONG, environment_id, inbox_ids))


SELECT_MUTED_OF: Final = """
SELECT inbox_id, array_agg(category) FROM preferences
WHERE environment_id = $1 AND inbox_id = ANY ($2) GROUP BY inbox_id
"""


async def select_muted_of(
    connection: Connection, environment_id: UUID, inbox_ids: Sequence[UUID]
) -> dict[UUID, list[str]]:
    """The muted categories of each inbox that has any."""
    return dict(await connection.fetch(SELECT_MUTED_OF, environment_id, inbox_ids))
