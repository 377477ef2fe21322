"""The gateway process: wiring, signals, the order in which things start and stop."""

import asyncio
import contextlib
import gc
import resource
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from app.contract.errors import Unavailable
from app.db import migrate
from app.db.pool import Pool, acquire, create_pool
from app.services.auth import Authenticator, Identity
from app.settings import Address, Settings
from realtime.admission import Admission
from realtime.answers import Operations
from realtime.broker import Broker
from realtime.connection import Connection
from realtime.counts import CountsFeed
from realtime.hub import Hub
from realtime.keepalive import Wheel
from realtime.protocol import SocketDialect
from realtime.relay import Relay
from realtime.server import Gateway, listen
from realtime.sweep import Sweeper
from realtime.validity import Validity

Charge = Callable[[Identity], Awaitable[None]]

# Ten thousand clients arriving are a million new objects that all live: the default thresholds would
# walk them again and again, a third of a second at a time. Closed connections leave no cycles.
_GC_THRESHOLDS: Final = (100_000, 50, 1000)
_READY_KEPT_S: Final = 0.5
_FILES_BESIDES_SOCKETS: Final = 1024

log = structlog.stdlib.get_logger()


async def run(
    settings: Settings,
    *,
    ready: Callable[[Address], None] | None = None,
    reuse_port: bool = False,
    charge: Charge | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains. ready: is told the bound address.

    reuse_port: several processes share the address. charge: takes a rate token of a subscriber that
    connects, or raises RateLimited. Raises OSError where the address cannot be bound.
    """
    _raise_file_limit(settings.max_connections + _FILES_BESIDES_SOCKETS)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with serve(settings, reuse_port=reuse_port, charge=charge) as (gateway, address):
            _tune_collector()
            if ready is not None:
                ready(address)
            await stop.wait()
            log.info("draining")
            gateway.is_draining = True
            await asyncio.sleep(settings.shutdown_grace_s)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def serve(
    settings: Settings, *, reuse_port: bool = False, charge: Charge | None = None
) -> AsyncGenerator[tuple[Gateway, Address]]:
    """A gateway that takes connections inside the block, and drains at its end."""
    with contextlib.closing(listen(settings.gateway_listen, reuse_port=reuse_port)) as listener:
        async with (
            create_pool(settings.database_url, size=settings.pg_pool_size, name="gateway") as pool,
            asyncio.TaskGroup() as tasks,
        ):
            hub = Hub(settings.max_connections_per_subscriber, SocketDialect())
            counts = CountsFeed(pool)
            relay = Relay(hub, counts)
            sweeper = Sweeper(pool, hub, counts)
            wheel = Wheel()
            authenticator = Authenticator(pool)
            validity = Validity(authenticator)
            readiness = Readiness(pool)
            gateway = Gateway(
                settings,
                hub=hub,
                admission=Admission(
                    pool=pool,
                    hub=hub,
                    counts=counts,
                    authenticator=authenticator,
                    tasks=tasks,
                    charge=charge,
                ),
                authenticator=authenticator,
                validity=validity,
                wheel=wheel,
                operations=Operations(readiness.unready),
                tasks=tasks,
            )
            readiness.watch(gateway)
            broker = Broker(
                settings.redis_url,
                receive=relay.receive,
                up=sweeper.hint_plane_up,
                down=sweeper.hint_plane_down,
            )
            running = [
                tasks.create_task(loop.run()) for loop in (broker, relay, counts, sweeper, wheel, validity)
            ]
            server = await asyncio.get_running_loop().create_server(
                lambda: Connection(gateway), sock=listener
            )
            host, port = listener.getsockname()[:2]
            try:
                yield gateway, Address(host, port)
            finally:
                server.close()
                await gateway.drain()
                for task in running:
                    task.cancel()


class Readiness:
    """PostgreSQL answers, its schema is this release's, and the gateway is not draining."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gateway: Gateway | None = None
        self._kept: tuple[float, str | None] = (0.0, None)

    def watch(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def unready(self) -> str | None:
        """Why not ready, None where ready. The database is asked at most twice a second."""
        if self._gateway is None or self._gateway.is_draining:
            return "this gateway is draining"
        until, reason = self._kept
        if time.monotonic() >= until:
            reason = await self._ask()
            self._kept = (time.monotonic() + _READY_KEPT_S, reason)
        return reason

    async def _ask(self) -> str | None:
        try:
            async with acquire(self._pool) as connection:
                plan = await migrate.check(connection)
        except Unavailable as error:
            return error.message
        except migrate.MigrationError as error:
            return str(error)
        return None if plan.is_done else "migrations are pending: run bellwire migrate"


def _raise_file_limit(wanted: int) -> None:
    """As many open files as sockets may need, as far as the hard limit lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _tune_collector() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
