"""The hint plane's receiving end. With stations.py and link.py the only files here that know Redis.

Every shard channel is subscribed to at start, so that a client's connect costs Redis nothing. A loss is
never silent: a lost connection is reported, and so is one that looks healthy while nothing comes through,
because a probe travels the publish path of every node every few seconds.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

import structlog

from app import telemetry
from realtime import stations
from realtime.link import LinkError
from realtime.stations import Station

RECONNECT_S: Final = 0.5
PROBE_S: Final = 2.9

log = structlog.stdlib.get_logger()


class Broker:
    """receive: gets each message. up: the plane works, from here on. down: it is lost, or cannot be had."""

    def __init__(
        self,
        redis_url: str,
        *,
        receive: Callable[[bytes], None],
        up: Callable[[], None],
        down: Callable[[], None],
    ) -> None:
        self._redis_url = redis_url
        self._receive = receive
        self._up = up
        self._down = down
        # Version 0 is no envelope's: other gateways skip it.
        self._probe = f"0 probe {os.urandom(8).hex()}"

    async def run(self) -> None:
        """Listens, for ever; starts again after every loss."""
        telemetry.redis_up.set(0)
        reported = ""
        while True:
            try:
                await self._listen()
            except (LinkError, OSError, TimeoutError) as error:
                if type(error).__name__ != reported:
                    reported = type(error).__name__
                    log.warning(
                        "Redis (REDIS_URL) is away: counts come from sweeps", error=str(error) or reported
                    )
            except Exception:
                log.exception("the hint plane failed; it is tried again")
            telemetry.redis_up.set(0)
            self._down()
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        """Returns by raising what ended it. One node lost is the plane lost: what it carried is missing."""
        async with AsyncExitStack() as stack:
            open_stations = [
                await stack.enter_async_context(Station.open(node, self._receive, self._probe))
                for node in await stations.find_nodes(self._redis_url)
            ]
            losses = [loss for station in open_stations for loss in station.losses]
            for station in open_stations:
                await station.probe()
            telemetry.redis_up.set(1)
            log.info("connected to Redis", nodes=len(open_stations))
            self._up()
            while True:
                await stations.watch(losses, PROBE_S)
                for station in open_stations:
                    await station.probe()
