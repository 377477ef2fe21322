"""What is measured, the same way against the gateway and against the relay."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import httpx
import msgspec

from app import redis
from app.contract.hints import Hint
from bench.gateway import programs
from bench.gateway.programs import Load
from bench.gateway.world import Crowd, World, monotonic_us

INFLIGHT: Final = 256  # keeps the gateway busy: fewer measure how long a connect takes instead
TIMEOUT_MS: Final = 10_000


class Served(msgspec.Struct, frozen=True):
    """A server under load, and its clients."""

    pid: int
    port: int
    load: Load
    crowd: Crowd
    directory: Path
    world: World


class Connected(msgspec.Struct, frozen=True):
    per_s: float
    p99_ms: float


async def connect(target: Served, first: int, last: int, inflight: int = INFLIGHT) -> Connected:
    """Opens clients until each is ready."""
    await target.load.ask("reset")
    begun = time.monotonic()
    measured = await target.load.ask(f"connect {first} {last} {inflight}")
    elapsed = time.monotonic() - begun
    if measured.failed:
        raise RuntimeError(f"{measured.failed} clients were not let in")
    return Connected((last - first) / elapsed, measured.open_p99 / 1000)


class Broadcast(msgspec.Struct, frozen=True):
    """last_ms: from the publish to the last receiver. cpu_ms: of the server."""

    last_ms: float
    cpu_ms: float


async def broadcast(target: Served, receivers: int) -> Broadcast:
    await target.load.ask("reset")
    waiting = asyncio.create_task(target.load.ask(f"broadcasts {receivers} {TIMEOUT_MS}"))
    await asyncio.sleep(0.05)
    spent = programs.cpu_s(target.pid)
    async with redis.connect(target.world.redis_url) as client:
        begun = monotonic_us()
        await redis.publish(client, [_broadcast_hint(target.crowd)])
        measured = await waiting
    if measured.broadcasts != receivers:
        raise RuntimeError(f"a broadcast reached {measured.broadcasts} of {receivers}")
    return Broadcast((measured.last_broadcast - begun) / 1000, (programs.cpu_s(target.pid) - spent) * 1000)


def _broadcast_hint(crowd: Crowd) -> Hint:
    return Hint(
        environment_id=crowd.environment_id,
        inbox_id=None,
        reason="broadcast",
        at_us=time.time_ns() // 1000,
        source="broadcast",
        item_id=crowd.environment_id,
        category="bench",
    )


class Hints(msgspec.Struct, frozen=True):
    p50_ms: float
    p99_ms: float
    cpu_us: float


async def hints(target: Served, *, rate: int, seconds: int, idle: float, routes: Path | None = None) -> Hints:
    """Publish to frame under an even stream, and the server's processor time for each beyond idling.

    routes: whom to; everyone where None.
    """
    await target.load.ask("reset")
    waiting = asyncio.create_task(target.load.ask(f"hints {rate * seconds} {seconds * 1000 + TIMEOUT_MS}"))
    before, begun = programs.cpu_s(target.pid), time.monotonic()
    await programs.publish(
        target.directory, target.world.redis, routes or target.crowd.routes, rate=rate, seconds=seconds
    )
    measured = await waiting
    spent = programs.cpu_s(target.pid) - before - idle * (time.monotonic() - begun)
    if measured.hints != rate * seconds:
        raise RuntimeError(f"{measured.hints} of {rate * seconds} hints arrived")
    return Hints(measured.hint_p50 / 1000, measured.hint_p99 / 1000, spent * 1e6 / measured.hints)


class Mixed(msgspec.Struct, frozen=True):
    last_ms: float
    hint_p99_ms: float


async def broadcasts_amid_hints(target: Served, receivers: int, *, rate: int, seconds: int) -> Mixed:
    """A broadcast every second during an even stream of hints; the median broadcast."""
    await target.load.ask("reset")
    stream = asyncio.create_task(
        programs.publish(
            target.directory, target.world.redis, target.crowd.routes, rate=rate, seconds=seconds
        )
    )
    taken: list[float] = []
    async with redis.connect(target.world.redis_url) as client:
        await asyncio.sleep(0.5)
        while not stream.done():
            begun = monotonic_us()
            await redis.publish(client, [_broadcast_hint(target.crowd)])
            seen = await target.load.ask(f"broadcasts {receivers * (len(taken) + 1)} {TIMEOUT_MS}")
            taken.append((seen.last_broadcast - begun) / 1000)
            await asyncio.sleep(max(0, 1 - (monotonic_us() - begun) / 1e6))
    measured = await target.load.ask(f"hints {rate * seconds} {TIMEOUT_MS}")
    return Mixed(statistics.median(taken), measured.hint_p99 / 1000)


class Settled(msgspec.Struct, frozen=True):
    """seconds: until every client shows the new counts. queries: that read counts."""

    seconds: float
    queries: float


async def counts_after_a_broadcast(
    target: Served, receivers: int, send: Callable[[], Awaitable[object]]
) -> Settled:
    """send: makes a real broadcast, after which everyone has one unread."""
    before = await _counts_queries(target)
    await target.load.ask("reset")
    begun = time.monotonic()
    await send()
    measured = await target.load.ask(f"unread 1 {receivers} {TIMEOUT_MS}")
    seconds = time.monotonic() - begun
    if measured.counts != receivers:
        raise RuntimeError(f"{measured.counts} counts frames for {receivers} clients")
    return Settled(seconds, await _counts_queries(target) - before)


async def _counts_queries(target: Served) -> float:
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.get(f"http://127.0.0.1:{target.port}/metrics")
    for line in reply.text.splitlines():
        if line.startswith("bellwire_counts_queries_total "):
            return float(line.split(" ")[1])
    raise RuntimeError("no such metric")


async def idle_cpu(target: Served, seconds: int) -> float:
    """Share of a core while nothing happens. Over less than a revolution of the keepalive it is chance."""
    before = programs.cpu_s(target.pid)
    await asyncio.sleep(seconds)
    return (programs.cpu_s(target.pid) - before) / seconds
