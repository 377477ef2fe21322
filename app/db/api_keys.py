"""Management keys, by their SHA-256."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.db.pool import Connection


class ApiKey(msgspec.Struct, frozen=True):
    """environment: its slug."""

    environment_id: UUID
    id: UUID
    key_hash: bytes
    environment: str


SELECT_BY_HASHES: Final = """
SELECT k.environment_id, k.id, k.key_hash, e.slug
FROM api_keys k JOIN environments e ON e.id = k.environment_id
WHERE k.key_hash = ANY ($1) AND k.revoked_at IS NULL
"""


async def select_api_keys(connection: Connection, hashes: Sequence[bytes]) -> list[ApiKey]:
    """Those that exist and are not revoked, in any order."""
    return [ApiKey(*row) for row in await connection.fetch(SELECT_BY_HASHES, hashes)]


INSERT_API_KEY: Final = """
INSERT INTO api_keys (environment_id, id, name, key_hash, key_prefix)
VALUES ($1, position_at(clock_us()), $2, $3, $4)
ON CONFLICT (key_hash) DO NOTHING
RETURNING id
"""


async def insert_api_key(
    connection: Connection, environment_id: UUID, *, name: str, key_hash: bytes, key_prefix: str
) -> UUID | None:
    """The new key's id, or None where this very key exists."""
    return await connection.fetchval(INSERT_API_KEY, environment_id, name, key_hash, key_prefix)


# Coarse: at most one write a minute and key, whatever the traffic and the number of replicas.
UPDATE_LAST_USED: Final = """
UPDATE api_keys SET last_used_at = clock_timestamp()
WHERE environment_id = $1 AND id = $2
  AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
"""


async def update_last_used(connection: Connection, environment_id: UUID, key_id: UUID) -> None:
    await connection.execute(UPDATE_LAST_USED, environment_id, key_id)


class ApiKeyRecord(msgspec.Struct, frozen=True):
    """What is shown of a key."""

    id: UUID
    name: str
    key_prefix: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


SELECT_RECORD: Final = """
SELECT id, name, key_prefix, created_at, last_used_at, revoked_at
FROM api_keys WHERE environment_id = $1 AND id = $2
"""


async def select_record(connection: Connection, environment_id: UUID, key_id: UUID) -> ApiKeyRecord | None:
    row = await connection.fetchrow(SELECT_RECORD, environment_id, key_id)
    return None if row is None else ApiKeyRecord(*row)


SELECT_RECORDS: Final = """
SELECT id, name, key_prefix, created_at, last_used_at, revoked_at
FROM api_keys WHERE environment_id = $1 AND id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC LIMIT $3
"""


async def select_records(
    connection: Connection, environment_id: UUID, *, before: UUID | None, limit: int
) -> list[ApiKeyRecord]:
    """Newest first, revoked ones included. before: the last one of the page before."""
    rows = await connection.fetch(SELECT_RECORDS, environment_id, before, limit)
    return [ApiKeyRecord(*row) for row in rows]


SELECT_ENVIRONMENT_OF: Final = "SELECT environment_id FROM api_keys WHERE id = $1"


async def select_environment_of(connection: Connection, key_id: UUID) -> UUID | None:
    """None where there is no such key."""
    return await connection.fetchval(SELECT_ENVIRONMENT_OF, key_id)


REVOKE_API_KEY: Final = """
UPDATE api_keys SET revoked_at = clock_timestamp()
WHERE environment_id = $1 AND id = $2 AND revoked_at IS NULL
"""


async def revoke_api_key(connection: Connection, environment_id: UUID, key_id: UUID) -> bool:
    """Whether it was good until now."""
    return await connection.execute(REVOKE_API_KEY, environment_id, key_id) == "UPDATE 1"
