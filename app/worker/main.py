"""`bellwire worker`: wires the loops and stops them in order."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from app import collector, redis, telemetry
from app.contract import hints
from app.contract.errors import Unavailable
from app.db import migrate
from app.db.outage import Outage
from app.db.pool import MIGRATIONS_PENDING, REFUSED, Pool, acquire, create_pool
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

log = structlog.stdlib.get_logger()

MIGRATION_POLL_S: Final = 1.0
_REMIND_S: Final = 30.0


async def run(settings: Settings, *, ready: Callable[[], None] | None = None) -> None:
    """Until SIGTERM: then nothing more is claimed, and what is under way ends.

    Begins, and is ready, when the schema is this release's: another process may be about to migrate.
    Raises MigrationError where it never will be.
    """
    stopping = stop_on_signals()
    async with create_pool(settings.database_url, size=settings.pg_pool_size, name="worker") as pool:
        await _schema(pool, stopping)  # before there are tasks, whose group would wrap what it raises
        await _work(settings, pool, stopping, ready)


async def _work(
    settings: Settings, pool: Pool, stopping: asyncio.Event, ready: Callable[[], None] | None
) -> None:
    async with (
        redis.connect(settings.redis_url) as client,
        create_pool(settings.database_url, size=1, name="worker hints") as lane,
        Publisher.open(lane, client) as publisher,
        Reporter.open(client),
        asyncio.TaskGroup() as tasks,
    ):
        outage = Outage()
        loops = [
            Loop("hints", HintJobs(pool, client).run_once, outage),
            Loop("deliveries", Deliveries(pool, publisher).run_once, outage),
            Loop("expiries", Expiries(pool, publisher).run_once, outage),
            Loop("retention", Retention(pool, publisher, months=settings.retention_months).run_once, outage),
            Loop("archive_read", ArchiveReadJobs(pool, publisher).run_once, outage),
            Loop("gauges", Gauges(pool).run_once, outage),
        ]
        waker = tasks.create_task(
            Loop("wake_ups", partial(_wake, settings.redis_url, loops), outage).run(stopping)
        )
        running = [tasks.create_task(loop.run(stopping)) for loop in loops]
        collector.tune()
        if ready is not None and not stopping.is_set():
            ready()
        try:
            await asyncio.wait(running)
        finally:
            await redis.end([waker, *running])


async def _schema(pool: Pool, stopping: asyncio.Event) -> None:
    """Waits until the schema is this release's, or for stopping. Raises MigrationError; Unavailable where
    DATABASE_URL is wrong.
    """
    said = -math.inf
    while not stopping.is_set():
        try:
            async with acquire(pool) as connection:
                plan = await migrate.check(connection)
        except Unavailable as error:
            if isinstance(error.__cause__, REFUSED):
                raise
            missing = error.message
        else:
            if plan.is_done:
                return
            missing = MIGRATIONS_PENDING
        if time.monotonic() - said > _REMIND_S:
            said = time.monotonic()
            log.warning("waiting for the schema", reason=missing)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), MIGRATION_POLL_S)


async def _wake(redis_url: str, loops: list[Loop]) -> float:
    """Knocks on every loop when another process says that something became due, until Redis is away."""
    with contextlib.suppress(*redis.AWAY):
        async with redis.connect_subscriber(redis_url) as client, client.pubsub() as subscription:
            await subscription.subscribe(hints.WAKE_CHANNEL)
            async for _ in subscription.listen():  # the first says that it is subscribed
                telemetry.redis_up.set(1)
                for loop in loops:
                    loop.knock()
    telemetry.redis_up.set(0)
    return redis.AWAY_PAUSE_S
