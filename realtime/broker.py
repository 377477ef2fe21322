"""The hint plane's receiving end. With link.py the only file here that knows Redis.

One connection, subscribed to every shard channel at start, so that a client's connect costs Redis nothing.
A loss is never silent: a lost connection is reported, and so is one that looks healthy while nothing comes
through, because a probe travels the publish path every few seconds.
"""

import asyncio
import os
from collections.abc import Callable, Collection
from typing import Final

import structlog

from app import telemetry
from app.contract import hints
from realtime import link
from realtime.link import Link, LinkError

RECONNECT_S: Final = 0.5
PROBE_S: Final = 2.9
PROBE_TIMEOUT_S: Final = 2.0

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
        self._probe_channel = f"bellwire:probe:{os.urandom(8).hex()}"
        self._probe_name = self._probe_channel.encode()
        # Done when the probe on its way has come back.
        self._arrival: asyncio.Future[None]

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
                    log.warning("hint plane away, counts come from sweeps", error=str(error) or reported)
            telemetry.redis_up.set(0)
            self._down()
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        """Returns by raising what ended it."""
        speaking = await link.connect(self._redis_url, (), self._take)
        try:
            channels = (*hints.CHANNELS, self._probe_channel)
            listening = await link.connect(self._redis_url, channels, self._take)
            try:
                await self._probe(speaking, listening)
                telemetry.redis_up.set(1)
                log.info("hint plane connected")
                self._up()
                while True:
                    await _watch({speaking.lost, listening.lost}, PROBE_S)
                    await self._probe(speaking, listening)
            finally:
                listening.abort()
        finally:
            speaking.abort()

    async def _probe(self, speaking: Link, listening: Link) -> None:
        """Raises TimeoutError where what is published does not arrive, OSError on loss."""
        self._arrival = asyncio.get_running_loop().create_future()
        speaking.publish(self._probe_channel)
        await _watch({speaking.lost, listening.lost, self._arrival}, PROBE_TIMEOUT_S)
        if not self._arrival.done():
            raise TimeoutError("what is published does not arrive")

    def _take(self, channel: bytes, payload: bytes) -> None:
        if channel != self._probe_name:
            self._receive(payload)
        elif not self._arrival.done():
            self._arrival.set_result(None)


async def _watch(futures: Collection[asyncio.Future[None]], seconds: float) -> None:
    """Waits for the first of them, or as long as given. Raises what it raises."""
    done, _ = await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for future in done:
        future.result()
