"""`bellwire worker`: wires the loops and stops them in order."""

import asyncio
from collections.abc import Callable

from redis.exceptions import RedisError

from app import redis
from app.contract import hints
from app.db.pool import create_pool
from app.outbox.publisher import Publisher
from app.services.figures import Reporter
from app.settings import Settings
from app.signals import stop_on_signals
from app.worker.archive_read import ArchiveReadJobs
from app.worker.deliveries import Deliveries, Expiries
from app.worker.gauges import Gauges
from app.worker.hints import HintJobs
from app.worker.loop import Loop
from app.worker.retention import Retention


async def run(settings: Settings, *, ready: Callable[[], None] | None = None) -> None:
    """Until SIGTERM: then nothing more is claimed, and what is under way ends."""
    stopping = stop_on_signals()
    async with (
        create_pool(settings.database_url, size=settings.pg_pool_size, name="worker") as pool,
        redis.connect(settings.redis_url) as client,
        Publisher.open(pool, client) as publisher,
        Reporter.open(client),
    ):
        loops = [
            Loop("hints", HintJobs(pool, client).run_once),
            Loop("deliveries", Deliveries(pool, publisher).run_once),
            Loop("expiries", Expiries(pool, publisher).run_once),
            Loop("retention", Retention(pool, publisher, months=settings.retention_months).run_once),
            Loop("archive_read", ArchiveReadJobs(pool, publisher).run_once),
            Loop("gauges", Gauges(pool).run_once),
        ]
        async with asyncio.TaskGroup() as tasks:
            waker = tasks.create_task(_wake(settings.redis_url, loops))
            running = [tasks.create_task(loop.run(stopping)) for loop in loops]
            if ready is not None:
                ready()
            await asyncio.wait(running)
            waker.cancel()


async def _wake(redis_url: str, loops: list[Loop]) -> None:
    """Knocks on every loop when another process says that something became due."""
    while True:
        try:
            async with redis.connect_subscriber(redis_url) as client, client.pubsub() as subscription:
                await subscription.subscribe(hints.WAKE_CHANNEL)
                async for _ in subscription.listen():
                    for loop in loops:
                        loop.knock()
        except (RedisError, OSError):
            await asyncio.sleep(redis.AWAY_PAUSE_S)
