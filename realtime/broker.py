"""The hint plane's receiving end: the only file here that knows Redis.

One connection, subscribed to every shard channel at start, so that a client's connect costs Redis nothing.
redis-py would reconnect without telling and lose what was said meanwhile; here a lost connection ends
listening, the gap is reported, and a new connection begins.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from app import telemetry
from app.contract import hints
from app.redis import connect_subscriber

RECONNECT_S: Final = 0.5
SUBSCRIBE_TIMEOUT_S: Final = 5.0

log = structlog.stdlib.get_logger()


class Broker:
    """receive: gets each message. up: the subscription is complete. down: it is lost, or cannot be had."""

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

    async def run(self) -> None:
        """Listens, for ever; starts again after every loss."""
        telemetry.redis_up.set(0)
        reported = ""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                if type(error).__name__ != reported:
                    reported = type(error).__name__
                    log.warning("hint plane away, counts come from sweeps", error=str(error))
            telemetry.redis_up.set(0)
            self._down()
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        async with connect_subscriber(self._redis_url) as client, client.pubsub() as pubsub:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_S):
                await pubsub.subscribe(*hints.CHANNELS)
                for _ in hints.CHANNELS:
                    await _next(pubsub)
            telemetry.redis_up.set(1)
            log.info("hint plane connected")
            self._up()
            while True:
                message = await _next(pubsub)
                if message["type"] == "message":
                    self._receive(message["data"])


async def _next(pubsub: PubSub) -> dict[str, Any]:
    """The next message of any kind. Raises RedisError, OSError."""
    while True:
        message = await pubsub.get_message(ignore_subscribe_messages=False, timeout=None)
        if message is not None:
            return message
