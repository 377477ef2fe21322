"""What is measured, each against one running server, gateway or relay alike."""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Final

import msgspec

from app import redis
from app.contract.hints import Hint
from bench.gateway import programs
from bench.gateway.programs import Load
from bench.gateway.world import World, monotonic_us

INFLIGHT: Final = 64


class Target(msgspec.Struct, frozen=True):
    """A server under load, and its clients."""

    pid: int
    load: Load
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


async def broadcast(target: Target, receivers: int, rounds: int) -> list[float]:
    """Milliseconds from the publish to the last receiver, each round."""
    taken: list[float] = []
    async with redis.connect(target.world.redis_url) as client:
        for _ in range(rounds):
            await asyncio.sleep(0.7)
            await target.load.ask("reset")
            waiting = asyncio.create_task(target.load.ask(f"hints {receivers} 5000"))
            await asyncio.sleep(0.05)
            begun = monotonic_us()
            await redis.publish(client, [_broadcast_hint(target.world)])
            measured = await waiting
            if measured.hints != receivers:
                raise RuntimeError(f"a broadcast reached {measured.hints} of {receivers}")
            taken.append((measured.last_hint - begun) / 1000)
    return taken


def _broadcast_hint(world: World) -> Hint:
    return Hint(
        environment_id=world.environment_id,
        inbox_id=None,
        reason="broadcast",
        at_us=time.time_ns() // 1000,
        source="broadcast",
        item_id=world.environment_id,
        category="bench",
    )


class Hints(msgspec.Struct, frozen=True):
    p50_ms: float
    p99_ms: float
    cpu_us: float


async def hints(target: Target, *, rate: int, seconds: int) -> Hints:
    """Publish to frame under an even stream, and the server's processor time for each."""
    await target.load.ask("reset")
    waiting = asyncio.create_task(target.load.ask(f"hints {rate * seconds} {(seconds + 2) * 1000}"))
    before = programs.cpu_s(target.pid)
    await programs.publish(
        target.directory, target.world.redis, target.world.routes, rate=rate, seconds=seconds
    )
    measured = await waiting
    spent = programs.cpu_s(target.pid) - before
    if measured.hints != rate * seconds:
        raise RuntimeError(f"{measured.hints} of {rate * seconds} hints arrived")
    return Hints(measured.hint_p50 / 1000, measured.hint_p99 / 1000, spent * 1e6 / measured.hints)


async def idle_cpu(target: Target, seconds: int) -> float:
    """Share of a core while nothing happens."""
    before = programs.cpu_s(target.pid)
    await asyncio.sleep(seconds)
    return (programs.cpu_s(target.pid) - before) / seconds


def median(values: list[float]) -> float:
    return statistics.median(values)
