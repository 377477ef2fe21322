"""Broadcasts by an administrator's hand: as a backend's, and with a line in the audit of the same commit."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from app.contract import ids, timestamps
from app.contract.admin import AuditAction
from app.contract.admin_views import Audience
from app.contract.requests import BroadcastRequest
from app.db import audit, subscribers
from app.db.admin_sessions import AdminIdentity
from app.db.environments import EnvironmentRecord
from app.db.pool import Connection, Pool, acquire
from app.services.acting import confirm
from app.services.broadcasts import Broadcasts, Reply
from app.services.records import Records
from app.services.retractions import Retractions

_TITLE: Final = 200  # characters of it that the audit keeps


class Composer:
    def __init__(
        self, pool: Pool, broadcasts: Broadcasts, records: Records, retractions: Retractions
    ) -> None:
        self._pool = pool
        self._broadcasts = broadcasts
        self._records = records
        self._retractions = retractions

    async def audience(self, environment: EnvironmentRecord, category: str | None) -> Audience:
        """Whom a broadcast of this category would reach now. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            found = await subscribers.count_audience(connection, environment.id, category)
        return Audience(found.subscribers, found.muted, found.is_exact)

    async def send(
        self, actor: AdminIdentity, environment: EnvironmentRecord, request: BroadcastRequest
    ) -> Reply:
        """Raises what Broadcasts.send() and confirm() raise."""
        asked = {
            **_about(request.category, request.payload_text),
            "idempotency_key": request.idempotency_key,
            "deliver_at": timestamps.format_optional(request.deliver_at),
            "expires_at": timestamps.format_optional(request.expires_at),
        }
        details = {name: value for name, value in asked.items() if value is not None}
        return await self._broadcasts.send(
            environment.id, request, along=_Audited(actor, "broadcast.send", environment, details)
        )

    async def delete(self, actor: AdminIdentity, environment: EnvironmentRecord, broadcast_id: UUID) -> None:
        """The audit keeps what it was called. Raises what Retractions.broadcast() and confirm() raise."""
        found = await self._records.broadcast(environment.id, broadcast_id)  # its words never change
        details = _about(found.category, bytes(found.payload).decode())
        await self._retractions.broadcast(
            environment.id, broadcast_id, along=_Audited(actor, "broadcast.delete", environment, details)
        )


class _Titled(msgspec.Struct):
    title: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


def _about(category: str, payload: str) -> dict[str, str]:
    """What the audit says of a broadcast: its category and, where it has one, the beginning of its title."""
    title = bytes(msgspec.json.decode(payload, type=_Titled).title)
    if not title.startswith(b'"'):
        return {"category": category}
    return {"category": category, "title": msgspec.json.decode(title, type=str)[:_TITLE]}


class _Audited(msgspec.Struct, frozen=True):
    """An administrator's write: by whom, and what the audit says of it."""

    actor: AdminIdentity
    action: AuditAction
    environment: EnvironmentRecord
    details: Mapping[str, object]

    async def before(self, connection: Connection) -> None:
        await confirm(connection, self.actor)

    async def after(self, connection: Connection, broadcast_id: UUID) -> None:
        await audit.insert_entry(
            connection,
            self.actor,
            self.action,
            target=ids.encode("bcast", broadcast_id),
            environment_slug=self.environment.slug,
            details=self.details,
        )
