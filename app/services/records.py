"""What a backend reads back: notifications, their timeline, broadcasts."""

from uuid import UUID

import msgspec

from app.contract import ids, resources, timestamps
from app.contract.errors import NotFound
from app.contract.resources import Broadcast, Listing, Notification, Timeline, TimelineEntry
from app.db import records
from app.db.pool import Pool, acquire
from app.db.records import HIGHEST, LOWEST, BroadcastRecord, NotificationRecord
from app.services import places


class NotificationFilter(msgspec.Struct, frozen=True):
    """None filters nothing. after_us (inclusive) and before_us (exclusive): ordering time, µs since 1970."""

    subscriber_id: str | None = None
    category: str | None = None
    status: resources.Status | None = None
    after_us: int | None = None
    before_us: int | None = None


class Records:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def notification(self, environment_id: UUID, notification_id: UUID) -> Notification:
        """Raises NotFound, Unavailable."""
        async with acquire(self._pool) as connection:
            found = await records.select_notification(connection, environment_id, notification_id)
        if found is None:
            raise NotFound("no such notification")
        return to_notification(found)

    async def notifications(
        self,
        environment_id: UUID,
        wanted: NotificationFilter,
        *,
        before: UUID | None,
        limit: int,
    ) -> Listing[Notification]:
        """Newest first by visible_at, or deliver_at while it waits. before: where the last page ended.

        Raises Unavailable.
        """
        below = HIGHEST if wanted.before_us is None else timestamps.position_floor(wanted.before_us)
        if before is not None:
            below = min(below, before)
        async with acquire(self._pool) as connection:
            found = await records.select_notifications(
                connection,
                environment_id,
                subscriber_id=wanted.subscriber_id,
                category=wanted.category,
                status=wanted.status,
                lowest=LOWEST if wanted.after_us is None else timestamps.position_floor(wanted.after_us),
                below=below,
                limit=limit + 1,
            )
        return Listing(
            items=[to_notification(record) for record in found[:limit]],
            next_cursor=places.encode_place(found[limit - 1].place) if len(found) > limit else None,
        )

    async def timeline(self, environment_id: UUID, notification_id: UUID) -> Timeline:
        """Raises NotFound, Unavailable."""
        async with acquire(self._pool) as connection:
            found = await records.select_timeline(connection, environment_id, notification_id)
        if found is None:
            raise NotFound("no such notification")
        return Timeline(
            id=ids.encode("notif", notification_id),
            subscriber_id=found.subscriber_id,
            timeline=[
                TimelineEntry(status, timestamps.format_datetime(moment))  # pyright: ignore[reportArgumentType]
                for status, moment in zip(found.statuses, found.times, strict=True)
            ],
        )

    async def broadcast(self, environment_id: UUID, broadcast_id: UUID) -> Broadcast:
        """Raises NotFound, Unavailable."""
        async with acquire(self._pool) as connection:
            found = await records.select_broadcast(connection, environment_id, broadcast_id)
        if found is None:
            raise NotFound("no such broadcast")
        return to_broadcast(found)

    async def broadcasts(
        self,
        environment_id: UUID,
        *,
        status: resources.Status | None,
        before: UUID | None,
        limit: int,
    ) -> Listing[Broadcast]:
        """Newest first. before: where the last page ended. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            found = await records.select_broadcasts(
                connection,
                environment_id,
                status=status,
                below=before or HIGHEST,
                limit=limit + 1,
            )
        return Listing(
            items=[to_broadcast(record) for record in found[:limit]],
            next_cursor=places.encode_place(found[limit - 1].place) if len(found) > limit else None,
        )


def to_notification(record: NotificationRecord) -> Notification:
    return Notification(
        id=ids.encode("notif", record.id),
        subscriber_id=record.subscriber_id,
        category=record.category,
        payload=msgspec.Raw(record.payload.encode()),
        status=record.status,
        created_at=timestamps.format_datetime(record.created_at),
        deliver_at=timestamps.format_optional(record.deliver_at),
        visible_at=timestamps.format_optional(record.visible_at),
        expires_at=timestamps.format_optional(record.expires_at),
        read=record.read,
        archived=record.archived,
    )


def to_broadcast(record: BroadcastRecord) -> Broadcast:
    return Broadcast(
        id=ids.encode("bcast", record.id),
        category=record.category,
        payload=msgspec.Raw(record.payload.encode()),
        status=record.status,
        created_at=timestamps.format_datetime(record.created_at),
        deliver_at=timestamps.format_optional(record.deliver_at),
        visible_at=timestamps.format_optional(record.visible_at),
        expires_at=timestamps.format_optional(record.expires_at),
        idempotency_key=record.idempotency_key,
    )
