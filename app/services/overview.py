"""The figures of the console's first page: what processes say of themselves, and what PostgreSQL knows."""

from typing import Final

from redis.asyncio import Redis

from app import telemetry
from app.contract import timestamps
from app.contract.admin_views import HintLatency, MinuteCount, Overview
from app.db import figures
from app.db.pool import Pool, acquire
from app.services.figures import Totals, totals

_MINUTE_US: Final = 60_000_000


class Overviews:
    def __init__(self, pool: Pool, client: Redis) -> None:
        self._pool = pool
        self._client = client

    async def now(self) -> Overview:
        """What only Redis knows is null while it is away, and is not waited for. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            moment = await figures.select_moment(connection)
            queues = await figures.select_queues(connection)
            dead_letters = await figures.select_dead_letter_counts(connection)
        live = await totals(self._client, minute=timestamps.to_us(moment.now) // _MINUTE_US)
        return Overview(
            as_of=timestamps.format_datetime(moment.now),
            connections=None if live is None else live.connections,
            queue_due=sum(queue.due for queue in queues),
            queue_depth=sum(queue.depth for queue in queues),
            dead_letters=sum(dead_letters.values()),
            environments=moment.environments,
            notifications_per_minute=None
            if live is None
            else [MinuteCount(timestamps.format_us(at * _MINUTE_US), count) for at, count in live.created],
            hint_latency_ms=HintLatency(_milliseconds(live, 0.5), _milliseconds(live, 0.99)),
        )


def _milliseconds(live: Totals | None, quantile: float) -> float | None:
    seconds = None if live is None else telemetry.hint_latency.quantile(quantile, live.hint_latency)
    return None if seconds is None else round(seconds * 1000, 2)
