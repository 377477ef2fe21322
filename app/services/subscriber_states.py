"""What one person sees, for operators who are asked why. Looking creates nobody."""

from uuid import UUID

from app.contract import timestamps
from app.contract.admin_views import SourceTimes, SubscriberState, Watermarks
from app.contract.errors import NotFound
from app.contract.resources import Counts
from app.db import subscriber_states
from app.db.pool import Pool, acquire
from app.db.subscriber_states import Positions
from app.services.inbox import to_item
from app.services.preferences import to_preferences


class SubscriberStates:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, environment_id: UUID, subscriber_id: str) -> SubscriberState:
        """Raises NotFound, Unavailable."""
        async with acquire(self._pool) as connection:
            found = await subscriber_states.select_state(connection, environment_id, subscriber_id)
        if found is None:
            raise NotFound("no such subscriber")
        return SubscriberState(
            subscriber_id=subscriber_id,
            created_at=timestamps.format_datetime(found.created_at),
            counts=Counts(found.unread, found.unseen, found.version),
            watermarks=Watermarks(
                read=_times(found.read), seen=_times(found.seen), archive=_times(found.archive)
            ),
            preferences=to_preferences(found.muted).preferences,
            inbox=[to_item(row) for row in found.rows],
        )


def _times(watermark: Positions) -> SourceTimes:
    return SourceTimes(_time(watermark.notification), _time(watermark.broadcast))


def _time(position: UUID | None) -> str | None:
    return None if position is None else timestamps.format_us(timestamps.position_us(position))
