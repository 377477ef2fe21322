"""The only way to Redis for everything but the gateway's subscriptions. Losing it may delay, never lose."""

from collections.abc import Sequence
from typing import Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.contract import hints
from app.contract.hints import Hint

TIMEOUT_S: Final = 2.0  # a frozen Redis must not hold up what waits for it

AWAY_PAUSE_S: Final = 0.5  # after a failure nothing is tried for so long
_AWAY: Final = (RedisError, OSError, TimeoutError)


def connect(url: str) -> Redis:
    """A client for commands: bounded pool, short timeouts, no retries (the outbox retries)."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=4,
        timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        protocol=3,
    )
    return Redis.from_pool(pool)


def connect_subscriber(url: str) -> Redis:
    """A client for pub/sub: reads wait for as long as nothing is said."""
    return Redis.from_url(
        url,
        socket_timeout=None,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        protocol=3,
    )


async def publish(client: Redis, batch: Sequence[Hint]) -> bool:
    """Publishes hints in one round trip. False where Redis is away: none can be relied on to be out."""
    try:
        pipeline = client.pipeline(transaction=False)
        for hint in batch:
            pipeline.publish(*hints.encode(hint))
        await pipeline.execute()
    except _AWAY:
        return False
    return True


async def wake_workers(client: Redis) -> None:
    """Tells sleeping workers that something earlier became due. Lost: they look within a second anyway."""
    try:
        await client.publish(hints.WAKE_CHANNEL, b"")
    except _AWAY:
        return


async def is_there(client: Redis) -> bool:
    try:
        await client.ping()
    except _AWAY:
        return False
    return True
