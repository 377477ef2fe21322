"""Sending broadcasts: one row, fan-out on read."""

from typing import Protocol
from uuid import UUID

import msgspec

from app.contract import ids, timestamps
from app.contract.requests import BroadcastRequest
from app.contract.resources import SentBroadcast
from app.db import broadcasts
from app.db.broadcasts import Outcome
from app.db.pool import Connection, Pool, run
from app.outbox.publisher import Publisher
from app.security import keys
from app.services.notifications import refuse


class Along(Protocol):
    """What somebody adds to the transaction of a write; what it raises rolls the write back."""

    async def before(self, connection: Connection) -> None:
        """Ahead of all that the write reads."""
        ...

    async def after(self, connection: Connection, broadcast_id: UUID) -> None:
        """Where the write has changed something."""
        ...


class Reply(msgspec.Struct, frozen=True):
    """created False: the key was known, and this is the first answer again."""

    created: bool
    sent: SentBroadcast


class Broadcasts:
    def __init__(self, pool: Pool, publisher: Publisher) -> None:
        self._pool = pool
        self._publisher = publisher

    async def send(
        self, environment_id: UUID, request: BroadcastRequest, *, along: Along | None = None
    ) -> Reply:
        """along: what is to be committed with it.

        Raises InvalidRequest (a time that the clock rules out), Conflict, Unavailable.
        """
        key = request.idempotency_key or keys.new_idempotency_key()

        async def send(connection: Connection) -> Outcome:
            return await broadcasts.send_broadcast(
                connection,
                environment_id,
                idempotency_key=key,
                fingerprint=request.fingerprint(),
                category=request.category,
                payload=request.payload_text,
                deliver_at=request.deliver_at,
                expires_at=request.expires_at,
            )

        async def send_with(connection: Connection) -> Outcome:
            if along is None:
                return await send(connection)
            async with connection.transaction():
                await along.before(connection)
                outcome = await send(connection)
                if outcome.verdict == "created" and outcome.id is not None:
                    await along.after(connection, outcome.id)
                return outcome

        outcome = await run(self._pool, send_with)
        refuse(outcome.verdict)
        assert outcome.id is not None  # noqa: S101 - sent or replayed: the statement names it
        assert outcome.created_us is not None  # noqa: S101
        self._publisher.offer(outcome.job)
        if outcome.verdict == "created" and request.deliver_at is not None:
            self._publisher.wake_workers()
        # An equal request has an equal payload and equal times, so the first answer is rebuilt from them.
        return Reply(
            created=outcome.verdict == "created",
            sent=SentBroadcast(
                id=ids.encode("bcast", outcome.id),
                category=request.category,
                payload=msgspec.Raw(request.payload_text.encode()),
                created_at=timestamps.format_us(outcome.created_us),
                idempotency_key=key,
                deliver_at=timestamps.format_optional(request.deliver_at),
                expires_at=timestamps.format_optional(request.expires_at),
            ),
        )
