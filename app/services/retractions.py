"""Taking notifications and broadcasts back, whether they wait or were delivered."""

from uuid import UUID

from app.contract.errors import NotFound
from app.db import retractions
from app.db.pool import Connection, Pool, run
from app.db.retractions import WithdrawnBroadcast
from app.outbox.publisher import Publisher
from app.services.broadcasts import Along


class Retractions:
    def __init__(self, pool: Pool, publisher: Publisher) -> None:
        self._pool = pool
        self._publisher = publisher

    async def notification(self, environment_id: UUID, notification_id: UUID) -> None:
        """Cancels or retracts. Raises NotFound (or gone already), Unavailable."""
        withdrawn = await run(
            self._pool,
            lambda connection: retractions.retract_notifications(
                connection, environment_id, [notification_id]
            ),
        )
        if withdrawn.count == 0:
            raise NotFound("no such notification")
        self._publisher.offer(withdrawn.job)

    async def batch(self, environment_id: UUID, idempotency_key: str) -> int:
        """Cancels or retracts what is left of a batch; how many those were.

        Raises NotFound (the key is unknown), Unavailable.
        """
        withdrawn = await run(
            self._pool,
            lambda connection: retractions.retract_batch(connection, environment_id, idempotency_key),
        )
        if withdrawn is None:
            raise NotFound("no notification was sent with this idempotency_key")
        self._publisher.offer(withdrawn.job)
        return withdrawn.count

    async def broadcast(
        self, environment_id: UUID, broadcast_id: UUID, *, along: Along | None = None
    ) -> None:
        """Cancels or retracts, for everyone at once. along: what is to be committed with it.

        Raises NotFound (or gone already), Unavailable.
        """

        async def retract(connection: Connection) -> WithdrawnBroadcast:
            if along is None:
                return await retractions.retract_broadcast(connection, environment_id, broadcast_id)
            async with connection.transaction():
                await along.before(connection)
                withdrawn = await retractions.retract_broadcast(connection, environment_id, broadcast_id)
                if withdrawn.status != "not_found":
                    await along.after(connection, broadcast_id)
                return withdrawn

        withdrawn = await run(self._pool, retract)
        if withdrawn.status == "not_found":
            raise NotFound("no such broadcast")
        self._publisher.offer(withdrawn.job)
