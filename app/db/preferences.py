"""Muted categories. A row is a mute; absent means enabled."""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec

from app.db.outbox import HintJob
from app.db.pool import Connection, fetch_one


class Preferences(msgspec.Struct, frozen=True):
    """muted: categories, sorted. job: the hint job owed, if any."""

    status: Literal["unknown_subscriber", "unchanged", "changed"]
    muted: list[str] | None
    job: HintJob | None


SET_PREFERENCES: Final = "SELECT status, muted, job_id, job FROM set_preferences($1, $2, $3, $4)"


async def set_preferences(
    connection: Connection,
    environment_id: UUID,
    subscriber_id: str,
    entries: Sequence[tuple[str, bool]],
) -> Preferences:
    """entries: (category, enabled), applied in order."""
    row = await fetch_one(
        connection,
        SET_PREFERENCES,
        environment_id,
        subscriber_id,
        [category for category, _ in entries],
        [enabled for _, enabled in entries],
    )
    status, muted, job_id, job = row
    return Preferences(status, muted, HintJob.owed(environment_id, job_id, job))


SELECT_PREFERENCES: Final = """
SELECT ARRAY(SELECT p.category FROM preferences p
             WHERE p.environment_id = s.environment_id AND p.inbox_id = s.id ORDER BY 1)
FROM subscribers s WHERE s.environment_id = $1 AND s.subscriber_id = $2
"""


async def select_preferences(
    connection: Connection, environment_id: UUID, subscriber_id: str
) -> list[str] | None:
    """The muted categories, sorted; None for an unknown subscriber."""
    return await connection.fetchval(SELECT_PREFERENCES, environment_id, subscriber_id)


SELECT_CATEGORIES: Final = "SELECT category FROM categories WHERE environment_id = $1 ORDER BY 1 LIMIT $2"


async def select_categories(connection: Connection, environment_id: UUID, limit: int) -> list[str]:
    """Categories ever used in this environment, sorted."""
    return [row[0] for row in await connection.fetch(SELECT_CATEGORIES, environment_id, limit)]
