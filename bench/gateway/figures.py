"""What is measured, the same way against the gateway and against the relay."""

import asyncio
import time
from pathlib import Path
from typing import Final

import msgspec

from app import redis
from app.contract.hints import Hint
from bench.gateway import programs
from bench.gateway.programs import Load
from bench.gateway.world import Crowd, World, monotonic_us

INFLIGHT: Final = 64
TIMEOUT_MS: Final = 10_000


class Target(msgspec.Struct, frozen=True):
    """A server under load, and its clients."""

    pid: int
    load: Load
    crowd: Crowd
    directory: Path
    world: World


class Connected(msgspec.Struct, frozen=True):
    per_s: float
    p99_ms: float


async def connect(target: Target, first: int, last: int, inflight: int = INFLIGHT) -> Connected:
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


async def broadcast(target: Target, receivers: int, *, before: int = 0) -> Broadcast:
    """before: hints the clients have had since the last reset."""
    waiting = asyncio.create_task(target.load.ask(f"hints {before + receivers} {TIMEOUT_MS}"))
    await asyncio.sleep(0.05)
    spent = programs.cpu_s(target.pid)
    async with redis.connect(target.world.redis_url) as client:
        begun = monotonic_us()
        await redis.publish(client, [_broadcast_hint(target.crowd)])
        measured = await waiting
    if measured.hints < before + receivers:
        raise RuntimeError(f"a broadcast reached {measured.hints - before} of {receivers}")
    return Broadcast((measured.last_hint - begun) / 1000, (programs.cpu_s(target.pid) - spent) * 1000)


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


async def hints(target: Target, *, rate: int, seconds: int, idle: float) -> Hints:
    """Publish to frame under an even stream, and the server's processor time for each beyond idling."""
    await target.load.ask("reset")
    waiting = asyncio.create_task(target.load.ask(f"hints {rate * seconds} {seconds * 1000 + TIMEOUT_MS}"))
    before, begun = programs.cpu_s(target.pid), time.monotonic()
    await programs.publish(
        target.directory, target.world.redis, target.crowd.routes, rate=rate, seconds=seconds
    )
    measured = await waiting
    spent = programs.cpu_s(target.pid) - before - idle * (time.monotonic() - begun)
    if measured.hints != rate * seconds:
        raise RuntimeError(f"{measured.hints} of {rate * seconds} hints arrived")
    return Hints(measured.hint_p50 / 1000, measured.hint_p99 / 1000, spent * 1e6 / measured.hints)


async def idle_cpu(target: Target, seconds: int) -> float:
    """Share of a core while nothing happens."""
    before = programs.cpu_s(target.pid)
    await asyncio.sleep(seconds)
    return (programs.cpu_s(target.pid) - before) / seconds
