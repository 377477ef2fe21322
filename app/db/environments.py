"""Environments: one row is a tenant with its own subscribers, keys and secret."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from app.db.pool import Connection


class Environment(msgspec.Struct, frozen=True):
    """secrets: the current secret, then the previous one while a rotation is under way."""

    id: UUID
    slug: str
    require_subscriber_hash: bool
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Environment({self.slug!r})"


SELECT_BY_SLUGS: Final = """
SELECT id, slug, require_subscriber_hash, array_remove(ARRAY[secret, previous_secret], NULL) AS secrets
FROM environments WHERE slug = ANY ($1)
"""


async def select_environments(connection: Connection, slugs: Sequence[str]) -> list[Environment]:
    """Those that exist, in any order."""
    rows = await connection.fetch(SELECT_BY_SLUGS, slugs)
    return [Environment(row[0], row[1], row[2], tuple(row[3])) for row in rows]


SELECT_BY_ID: Final = """
SELECT id, slug, require_subscriber_hash, array_remove(ARRAY[secret, previous_secret], NULL) AS secrets
FROM environments WHERE id = $1
"""


async def select_environment(connection: Connection, environment_id: UUID) -> Environment | None:
    row = await connection.fetchrow(SELECT_BY_ID, environment_id)
    return None if row is None else Environment(row[0], row[1], row[2], tuple(row[3]))


# The head comes with the environment: nothing is ever broadcast, or read, without it.
INSERT_ENVIRONMENT: Final = """
WITH born AS (
    INSERT INTO environments (id, slug, name, require_subscriber_hash, secret)
    VALUES (position_at(clock_us()), $1, $2, $3, $4)
    ON CONFLICT (slug) DO NOTHING
    RETURNING id
), head AS (
    INSERT INTO broadcast_heads (environment_id) SELECT id FROM born
)
SELECT id FROM born
"""


async def insert_environment(
    connection: Connection, *, slug: str, name: str, require_subscriber_hash: bool, secret: str
) -> UUID | None:
    """The new environment's id, or None where the slug is taken."""
    return await connection.fetchval(INSERT_ENVIRONMENT, slug, name, require_subscriber_hash, secret)
