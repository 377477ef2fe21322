"""Environments: one row is a tenant with its own subscribers, keys and secret."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.db.pool import Connection, fetch_one


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


class EnvironmentRecord(msgspec.Struct, frozen=True):
    """All of a row but the previous secret itself."""

    id: UUID
    slug: str
    name: str
    require_subscriber_hash: bool
    created_at: datetime
    secret: str
    has_previous_secret: bool
    secret_rotated_at: datetime | None

    def __repr__(self) -> str:
        return f"EnvironmentRecord({self.slug!r})"


# A slug may look like an id; the id then comes first.
SELECT_RECORD: Final = """
SELECT id, slug, name, require_subscriber_hash, created_at, secret, previous_secret IS NOT NULL,
       secret_rotated_at
FROM environments WHERE id = $1 OR slug = $2 ORDER BY id = $1 DESC NULLS LAST LIMIT 1
"""


async def select_record(
    connection: Connection, *, environment_id: UUID | None, slug: str
) -> EnvironmentRecord | None:
    """By either; an id has precedence."""
    row = await connection.fetchrow(SELECT_RECORD, environment_id, slug)
    return None if row is None else EnvironmentRecord(*row)


SELECT_RECORDS: Final = """
SELECT id, slug, name, require_subscriber_hash, created_at, secret, previous_secret IS NOT NULL,
       secret_rotated_at
FROM environments WHERE id < coalesce($1, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC LIMIT $2
"""


async def select_records(
    connection: Connection, *, before: UUID | None, limit: int
) -> list[EnvironmentRecord]:
    """Newest first. before: the last one of the page before."""
    return [EnvironmentRecord(*row) for row in await connection.fetch(SELECT_RECORDS, before, limit)]


UPDATE_ENVIRONMENT: Final = """
UPDATE environments
SET name = coalesce($2, name), require_subscriber_hash = coalesce($3, require_subscriber_hash)
WHERE id = $1
RETURNING id, slug, name, require_subscriber_hash, created_at, secret, previous_secret IS NOT NULL,
          secret_rotated_at
"""


async def update_environment(
    connection: Connection, environment_id: UUID, *, name: str | None, require_subscriber_hash: bool | None
) -> EnvironmentRecord:
    """None leaves a value as it is."""
    return EnvironmentRecord(
        *await fetch_one(connection, UPDATE_ENVIRONMENT, environment_id, name, require_subscriber_hash)
    )


ROTATE: Final = """
UPDATE environments SET secret = $2, previous_secret = secret, secret_rotated_at = clock_timestamp()
WHERE id = $1 RETURNING secret_rotated_at
"""


async def rotate_secret(connection: Connection, environment_id: UUID, secret: str) -> datetime:
    """The current secret becomes the previous one, whatever that was; when."""
    rotated_at: datetime = (await fetch_one(connection, ROTATE, environment_id, secret))[0]
    return rotated_at


FORGET_PREVIOUS: Final = """
UPDATE environments SET previous_secret = NULL WHERE id = $1 AND previous_secret IS NOT NULL RETURNING true
"""


async def forget_previous_secret(connection: Connection, environment_id: UUID) -> bool:
    """Whether there was one."""
    return await connection.fetchval(FORGET_PREVIOUS, environment_id) is not None
