"""What the gateway asks about the inboxes that are connected to it: always many at once."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.db.pool import Connection

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


SELECT_MUTED_OF: Final = """
SELECT inbox_id, array_agg(category) FROM preferences
WHERE environment_id = $1 AND inbox_id = ANY ($2) GROUP BY inbox_id
"""


async def select_muted_of(
    connection: Connection, environment_id: UUID, inbox_ids: Sequence[UUID]
) -> dict[UUID, list[str]]:
    """The muted categories of each inbox that has any."""
    return dict(await connection.fetch(SELECT_MUTED_OF, environment_id, inbox_ids))
