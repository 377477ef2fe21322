"""What administrators did, to be read."""

from uuid import UUID

from app.contract import ids, timestamps
from app.contract.admin import Actor, AuditEntry
from app.contract.resources import Listing
from app.db import audit
from app.db.audit import Entry
from app.db.pool import Pool, acquire
from app.services import places


class Audit:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, *, before: UUID | None, limit: int) -> Listing[AuditEntry]:
        """Newest first. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            found = await audit.select_entries(connection, before=before, limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return Listing(
            items=[_entry(one) for one in found[:limit]],
            next_cursor=None if last is None else places.encode_place(last.id),
        )


def _entry(entry: Entry) -> AuditEntry:
    actor = None
    if entry.actor_id is not None and entry.actor_email is not None:
        actor = Actor(ids.encode("adm", entry.actor_id), entry.actor_email)
    return AuditEntry(
        id=ids.encode("aud", entry.id),
        occurred_at=timestamps.format_us(timestamps.position_us(entry.id)),
        actor=actor,
        action=entry.action,
        target=entry.target,
        environment_slug=entry.environment_slug,
        details=entry.decoded_details,
    )
