"""What administrators did: inserted by the transaction that did it."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from app.contract.admin import AuditAction
from app.db.admin_sessions import AdminIdentity
from app.db.pool import Connection

INSERT_ENTRY: Final = """
INSERT INTO audit_log (id, actor_id, actor_email, action, target, environment_slug, details)
VALUES (position_at(clock_us()), $1, $2, $3, $4, $5, $6::jsonb)
"""


async def insert_entry(
    connection: Connection,
    actor: AdminIdentity | None,
    action: AuditAction,
    *,
    target: str | None = None,
    environment_slug: str | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """actor: None for whoever runs the server. target: the TypeID, or the name, of what was acted on.

    details: what was asked for, as JSON; never a key, secret, password or payload, of which
    a broadcast's title may be told. Call it in the transaction of the write.
    """
    await connection.execute(
        INSERT_ENTRY,
        None if actor is None else actor.id,
        None if actor is None else actor.email,
        action,
        target,
        environment_slug,
        msgspec.json.encode(details or {}).decode(),
    )


class Entry(msgspec.Struct, frozen=True):
    """id: a position, the time it happened. details: JSON text."""

    id: UUID
    actor_id: UUID | None
    actor_email: str | None
    action: AuditAction
    target: str | None
    environment_slug: str | None
    details: str

    @property
    def decoded_details(self) -> dict[str, Any]:
        return msgspec.json.decode(self.details, type=dict[str, Any])


SELECT_ENTRIES: Final = """
SELECT id, actor_id, actor_email, action, target, environment_slug, details FROM audit_log
WHERE id < coalesce($1, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC LIMIT $2
"""


async def select_entries(connection: Connection, *, before: UUID | None, limit: int) -> list[Entry]:
    """Newest first. before: the last one of the page before."""
    return [Entry(*row) for row in await connection.fetch(SELECT_ENTRIES, before, limit)]
