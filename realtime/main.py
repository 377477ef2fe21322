"""The gateway process: wiring, signals, the order in which things start and stop."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from app import collector
from app.db.pool import create_pool
from app.settings import Address, Settings, binding
from app.signals import stop_on_signals
from realtime.connection import Connection
from realtime.outlet import SocketDialect
from realtime.plane import Charge, open_plane
from realtime.readiness import Readiness
from realtime.server import BACKLOG, Gateway, listen

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
    connects, or raises RateLimited. Raises SettingsError where the address cannot be bound.
    """
    _raise_file_limit(settings.max_connections + _FILES_BESIDES_SOCKETS)
    stopping = stop_on_signals()
    async with serve(settings, reuse_port=reuse_port, charge=charge) as (gateway, address):
        collector.tune()
        if ready is not None:
            ready(address)
        await stopping.wait()
        log.info("draining")
        gateway.is_draining = True
        await asyncio.sleep(settings.shutdown_grace_s)


@asynccontextmanager
async def serve(
    settings: Settings, *, reuse_port: bool = False, charge: Charge | None = None
) -> AsyncGenerator[tuple[Gateway, Address]]:
    """A gateway that takes connections inside the block, and drains at its end."""
    with binding("BELLWIRE_GATEWAY_LISTEN", settings.gateway_listen):
        bound = listen(settings.gateway_listen, reuse_port=reuse_port)
    with contextlib.closing(bound) as listener:
        async with (
            create_pool(settings.database_url, size=settings.pg_pool_size, name="gateway") as pool,
            open_plane(
                pool,
                settings.redis_url,
                cap=settings.max_connections_per_subscriber,
                dialect=SocketDialect(),
                charge=charge,
            ) as plane,
        ):
            gateway = Gateway(settings, plane, Readiness(pool))
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: Connection(gateway), sock=listener, backlog=BACKLOG)
            host, port = listener.getsockname()[:2]
            try:
                yield gateway, Address(host, port)
            finally:
                server.close()
                await gateway.drain()


def _raise_file_limit(wanted: int) -> None:
    """As many open files as sockets may need, as far as the hard limit lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
