"""Management keys, by their SHA-256."""

from collections.abc import Sequence
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
