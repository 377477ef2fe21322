"""The only way to Redis for everything but the gateway's subscriptions. Losing it may delay, never lose."""

import asyncio
import contextlib
import zlib
from collections.abc import Collection, Sequence
from typing import Final, cast

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from app.contract import hints
from app.contract.hints import Hint

TIMEOUT_S: Final = 2.0  # a frozen Redis must not hold up what waits for it

AWAY_PAUSE_S: Final = 0.5  # after a failure nothing is tried for so long
_CLUSTER: Final = "redis+cluster"
_REDIRECTIONS: Final = 3  # followed while a cluster moves its slots
# RuntimeError: redis-py takes a connection that was reset while idle for healthy, and uvloop raises this for
# a write to it. Nothing has been sent then, and redis-py drops the connection.
AWAY: Final = (RedisError, RedisClusterException, OSError, TimeoutError, RuntimeError)
_CONNECTIONS: Final = 4


def node_url(url: str) -> str | None:
    """The URL of one node to ask about the others, None where the URL is not a cluster's."""
    return "redis" + url.removeprefix(_CLUSTER) if url.startswith(_CLUSTER) else None


def connect(url: str) -> Redis:
    """A client for commands: bounded pool, short timeouts, no retries (the outbox retries).

    A cluster's client has the same commands, and sends each where its key is.
    """
    any_node = node_url(url)
    if any_node is not None:
        cluster = RedisCluster.from_url(
            any_node,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), _REDIRECTIONS),
            protocol=3,
        )
        return cast("Redis", cluster)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        protocol=3,
    )
    return Redis.from_pool(pool)


def connect_subscriber(url: str) -> Redis:
    """A client for pub/sub: reads wait for as long as nothing is said. Of a cluster, it is of one node."""
    return Redis.from_url(
        node_url(url) or url,
        socket_timeout=None,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        protocol=3,
    )


async def end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancels tasks until they are done.

    Where a connection fails at that moment, redis-py's error takes the place of the cancellation.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=0.5)


_PUBLISHED_AT_ONCE: Final = 2048  # hints; others wait for Redis, and for this process, while they are

# Publishes many: ARGV are channel, envelope, channel, envelope. One command, as each costs the client more to
# pack and to wait for than a message costs Redis.
_PUBLISH_SCRIPT: Final = "for i = 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end"


async def publish(client: Redis, batch: Sequence[Hint]) -> bool:
    """Publishes hints, in one round trip unless they are many. False where Redis is away: none can be relied
    on to be out.
    """
    try:
        for at in range(0, len(batch), _PUBLISHED_AT_ONCE):
            await _publish(client, batch[at : at + _PUBLISHED_AT_ONCE])
    except AWAY:
        return False
    return True


async def _publish(client: Redis, batch: Sequence[Hint]) -> None:
    """All idle connections may have been reset at once."""
    for _ in range(_CONNECTIONS):
        with contextlib.suppress(RuntimeError):
            await _publish_once(client, batch)
            return
    await _publish_once(client, batch)


async def _publish_once(client: Redis, batch: Sequence[Hint]) -> None:
    if isinstance(client, RedisCluster):
        # Sharded: a message goes to one node, not to all. A script would have to stay in one slot.
        pipeline = client.pipeline(transaction=False)
        for channel, envelope in hints.encode(batch):
            pipeline.execute_command("SPUBLISH", channel, envelope)
        await pipeline.execute()
    else:
        said = [part for message in hints.encode(batch) for part in message]
        await client.execute_command("EVAL", _PUBLISH_SCRIPT, 0, *said)


async def wake_workers(client: Redis) -> None:
    """Tells sleeping workers that something earlier became due. Lost: they look within a second anyway."""
    try:
        await client.execute_command("PUBLISH", hints.WAKE_CHANNEL, b"")
    except AWAY:
        return


async def is_there(client: Redis) -> bool:
    try:
        await client.ping()
    except AWAY:
        return False
    return True


# Buckets by Redis's own clock: replicas share them, and none of their clocks matters. KEYS: the buckets;
# ARGV: for each its tokens a second and its tokens at most. Returns for each how many milliseconds to wait
# for a token; 0: one was taken.
_BUCKETS_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local waits = {}
for i, key in ipairs(KEYS) do
    local rate, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local bucket = redis.call('HMGET', key, 'tokens', 'at')
    local since = math.max(0, now - (tonumber(bucket[2]) or now))
    local tokens = math.min(burst, (tonumber(bucket[1]) or burst) + since * rate)
    waits[i] = 0
    if tokens >= 1 then tokens = tokens - 1 else waits[i] = math.ceil((1 - tokens) / rate * 1000) end
    redis.call('HSET', key, 'tokens', tostring(tokens), 'at', tostring(now))
    redis.call('PEXPIRE', key, math.ceil(burst / rate * 1000) + 1000)
end
return waits
"""
_BUCKET_SLOTS: Final = 4  # of a cluster's, so that the buckets of many callers go in few commands


class Charge(msgspec.Struct, frozen=True):
    """One token of one bucket. rate: tokens a second; burst: tokens at most."""

    bucket: str
    rate: float
    burst: float


async def take_tokens(client: Redis, charges: Sequence[Charge], *, timeout_s: float) -> list[float] | None:
    """For each, the seconds to wait for a token (0: one was taken). None where Redis is away."""
    places_by_slot: dict[int, list[int]] = {}
    for place, charge in enumerate(charges):
        slot = zlib.crc32(charge.bucket.encode()) % _BUCKET_SLOTS
        places_by_slot.setdefault(slot, []).append(place)
    try:
        async with asyncio.timeout(timeout_s):
            pipeline = client.pipeline(transaction=False)
            for slot, places in places_by_slot.items():
                buckets = [f"bellwire:rate:{{{slot}}}:{charges[place].bucket}" for place in places]
                limits = [limit for place in places for limit in (charges[place].rate, charges[place].burst)]
                pipeline.eval(_BUCKETS_SCRIPT, len(buckets), *buckets, *limits)
            replies = await pipeline.execute()
    except AWAY:
        return None
    waits = [0.0] * len(charges)
    for places, reply in zip(places_by_slot.values(), replies, strict=True):
        for place, wait_ms in zip(places, reply, strict=True):
            waits[place] = wait_ms / 1000
    return waits


# Figures: what each process says of itself lasts for as long as it is said again. The braces keep the keys on
# one node of a cluster; the number is of the layout.
_FIGURES: Final = "bellwire:{figures:1}"
FIGURES_KEPT_S: Final = 8.0
_HOUR_KEPT_S: Final = 2 * 3600
_FIGURES_TIMEOUT_S: Final = 0.25  # for those who wait for figures; they can do without


async def write_figures(client: Redis, process: str, figures: bytes, *, minute: int, created: int) -> bool:
    """Replaces what a process says of itself, and adds to what was created in a minute (since 1970).

    False where Redis is away: nothing can be relied on to be written.
    """
    hour = f"{_FIGURES}:created:{minute // 60}"
    try:
        async with asyncio.timeout(TIMEOUT_S):
            pipeline = client.pipeline(transaction=False)
            pipeline.set(f"{_FIGURES}:{process}", figures, px=int(FIGURES_KEPT_S * 1000))
            pipeline.sadd(_FIGURES, process)
            pipeline.hincrby(hour, str(minute), created)
            pipeline.expire(hour, _HOUR_KEPT_S)
            await pipeline.execute()
    except AWAY:
        return False
    return True


async def remove_figures(client: Redis, process: str) -> None:
    """The process ends. Where Redis is away, so does what it said, a little later."""
    try:
        async with asyncio.timeout(_FIGURES_TIMEOUT_S):
            await client.delete(f"{_FIGURES}:{process}")
    except AWAY:
        return


class Figures(msgspec.Struct, frozen=True):
    """processes: what each says of itself. created: by minute since 1970; none in those that are missing."""

    processes: list[bytes]
    created: dict[int, int]


async def read_figures(client: Redis, *, minute: int) -> Figures | None:
    """What there is, and what was created in the hour up to this minute. None where Redis is away."""
    try:
        async with asyncio.timeout(_FIGURES_TIMEOUT_S):
            pipeline = client.pipeline(transaction=False)
            pipeline.smembers(_FIGURES)
            for hour in (minute // 60 - 1, minute // 60):
                pipeline.hgetall(f"{_FIGURES}:created:{hour}")
            names, *hours = await pipeline.execute()
            said = (
                await client.mget([b"%b:%b" % (_FIGURES.encode(), name) for name in names]) if names else []
            )
            found = cast("dict[bytes, bytes | None]", dict(zip(names, said, strict=True)))
            gone = [name for name, figures in found.items() if figures is None]
            if gone:
                await client.srem(_FIGURES, *gone)
    except AWAY:
        return None
    return Figures(
        [figures for figures in found.values() if figures is not None],
        {int(at): int(count) for of_hour in hours for at, count in of_hour.items()},
    )
