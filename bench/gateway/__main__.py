"""How near the gateway is to the limit of the machine: `python -m bench.gateway`.

Gateway and relay hold their clients at the same time and are measured in turns, so that what else the
machine does weighs on both. Needs gcc, and BELLWIRE_TEST_DATABASE_URL and BELLWIRE_TEST_REDIS_URL.
"""

import argparse
import asyncio
import os
import shlex
import statistics
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from app import redis
from app.contract.requests import BroadcastRequest
from app.outbox.publisher import Publisher
from app.services.broadcasts import Broadcasts
from bench.gateway import figures, posting, programs, world
from bench.gateway.figures import Served
from bench.gateway.programs import Load
from bench.gateway.world import FEW, World
from realtime.protocol import PING_INTERVAL_S


class Target(msgspec.Struct, frozen=True):
    """What a figure should reach: at most (or least) so many of its unit, or at most so often its limit."""

    at_most: float | None = None
    at_least: float | None = None
    ratio: float | None = None

    def __str__(self) -> str:
        for sign, bound in (("<=", self.at_most), (">=", self.at_least), ("ratio <=", self.ratio)):
            if bound is not None:
                return f"{sign} {bound:g}"
        return ""

    def verdict(self, product: float, limit: float | None) -> str:
        """Ok or MISS, nothing where there is no target."""
        if self.at_least is not None:
            return "ok" if product >= self.at_least else "MISS"
        figure = product if self.ratio is None else product / (limit or product)
        bound = self.at_most if self.ratio is None else self.ratio
        return "" if bound is None else "ok" if figure <= bound else "MISS"


NONE: Final = Target()


def show(
    figure: str, product: float, unit: str, target: Target = NONE, *, limit: float | None = None
) -> None:
    beside = "" if limit is None else f"{limit:9.3f} {product / limit:6.2f}"
    print(
        f"{figure:44} {product:9.3f} {unit:4} {beside:16}  {target!s:14} {target.verdict(product, limit)}",
        flush=True,
    )


@asynccontextmanager
async def targets(directory: Path, place: World) -> AsyncGenerator[tuple[Served, Served]]:
    """The gateway, and the relay."""
    async with (
        programs.bellwire("gateway", place.environ, core=programs.SERVER_CORE) as (gateway_pid, gateway_port),
        programs.relay(directory, place.redis) as (relay_pid, relay_port),
        Load.open(directory, gateway_port, place.crowd.targets) as gateway_load,
        Load.open(directory, relay_port, place.twins.targets) as relay_load,
    ):
        yield (
            Served(gateway_pid, gateway_port, gateway_load, place.crowd, directory, place),
            Served(relay_pid, relay_port, relay_load, place.twins, directory, place),
        )


async def connects(gateway: Served, size: int) -> None:
    """Leaves everyone connected."""
    base_kib = programs.rss_kib(gateway.pid)
    storm = min(1000, size // 2)
    stormed = await figures.connect(gateway, FEW, FEW + storm, inflight=storm)
    show(f"{storm} connects at one instant, p99", stormed.p99_ms, "ms", Target(at_most=500))
    spent = programs.cpu_s(gateway.pid)
    opened = await figures.connect(gateway, FEW + storm, size)
    show("authenticated connects", opened.per_s, "/s", Target(at_least=2500))
    each = (programs.cpu_s(gateway.pid) - spent) * 1e6 / (size - FEW - storm)
    show("processor time of a connect", each, "us")
    kib = (programs.rss_kib(gateway.pid) - base_kib) / (size - FEW)
    show("memory of a connection", kib, "KiB", Target(at_most=14))


async def broadcasts(gateway: Served, relay: Served, size: int, rounds: int) -> None:
    product: list[figures.Broadcast] = []
    limit: list[figures.Broadcast] = []
    for _ in range(rounds):
        for target, taken in ((gateway, product), (relay, limit)):
            taken.append(await figures.broadcast(target, size))
            await asyncio.sleep(0.7)
    for name, figure, target in (
        ("last_ms", "broadcast, last receiver, p50", Target(ratio=1.25)),
        ("cpu_ms", "broadcast, processor time, p50", NONE),
    ):
        show(figure, _median(product, name), "ms", target, limit=_median(limit, name))


async def mixed(gateway: Served, relay: Served, size: int) -> None:
    product = await figures.broadcasts_amid_hints(gateway, size, rate=1000, seconds=5)
    limit = await figures.broadcasts_amid_hints(relay, size, rate=1000, seconds=5)
    show(
        "broadcast amid 1000 hints/s, last receiver",
        product.last_ms,
        "ms",
        Target(ratio=2),
        limit=limit.last_ms,
    )
    show("hint amid broadcasts, p99", product.hint_p99_ms, "ms", Target(at_most=5), limit=limit.hint_p99_ms)


async def hints(gateway: Served, relay: Served, seconds: int, rounds: int) -> None:
    idle = await figures.idle_cpu(gateway, PING_INTERVAL_S)
    show("idle, keepalive on", 100 * idle, "%", Target(at_most=3))
    product: list[figures.Hints] = []
    limit: list[figures.Hints] = []
    for _ in range(rounds):
        product.append(await figures.hints(gateway, rate=1000, seconds=seconds, idle=idle))
        limit.append(await figures.hints(relay, rate=1000, seconds=seconds, idle=0))
    for name, figure, unit, target in (
        ("p50_ms", "publish to frame, 1000 hints/s, p50", "ms", Target(at_most=1)),
        ("p99_ms", "publish to frame, 1000 hints/s, p99", "ms", Target(at_most=10)),
        ("cpu_us", "processor time of a hint", "us", Target(ratio=1.6)),
    ):
        show(figure, _median(product, name), unit, target, limit=_median(limit, name))


async def settle(gateway: Served, size: int, place: World) -> None:
    async with redis.connect(place.redis_url) as client, Publisher.open(place.pool, client) as publisher:
        send = Broadcasts(place.pool, publisher).send
        settled = await figures.counts_after_a_broadcast(
            gateway, size, lambda: send(gateway.crowd.environment_id, BroadcastRequest(category="bench"))
        )
    show("broadcast to everyone's right counts", settled.seconds, "s", Target(at_most=2))
    show("queries for that", settled.queries, "", Target(at_most=20))


async def posts(gateway: Served, place: World) -> None:
    target = place.crowd.targets.read_text().partition("\n")[0]
    taken = await posting.post_to_frame_ms(place.environ, place.api_key, target, gateway.port, rounds=200)
    show("POST answered to frame, idle, p50", taken[len(taken) // 2], "ms", Target(at_most=5))
    show("POST answered to frame, idle, p99", taken[len(taken) * 99 // 100], "ms", Target(at_most=25))


async def few_and_many(
    gateway: Served, seconds: int, rounds: int, size: int, connect_the_rest: Awaitable[None]
) -> None:
    """The same hints to the same clients, before and after the others come."""
    found: list[float] = []
    for others in (None, connect_the_rest):
        if others is not None:
            await others
        idle = await figures.idle_cpu(gateway, PING_INTERVAL_S)
        taken = [
            await figures.hints(
                gateway, rate=1000, seconds=seconds, idle=idle, routes=gateway.crowd.few_routes
            )
            for _ in range(rounds)
        ]
        found.append(_median(taken, "cpu_us"))
    few, many = found
    show(f"processor time of a hint, {size} and {FEW}", many, "us", Target(ratio=1.2), limit=few)


def _median(measured: Sequence[msgspec.Struct], name: str) -> float:
    return statistics.median(getattr(one, name) for one in measured)


FIGURES: Final = ("connects", "settle", "broadcasts", "hints", "mixed", "posts")


async def main(size: int, rounds: int, only: Sequence[str]) -> None:
    print(f"$ python -m bench.gateway {shlex.join(sys.argv[1:])}   load average {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        programs.compile_programs(directory)
        print(f"{'figure':44} {'product':>14} {'limit':>9} {'ratio':>6}  target")
        async with world.create(directory, size) as place, targets(directory, place) as (gateway, relay):
            await figures.connect(gateway, 0, FEW)
            if "connects" in only:
                await few_and_many(gateway, 3, rounds, size, connects(gateway, size))
            else:
                await figures.connect(gateway, FEW, size)
            await figures.connect(relay, 0, size)
            if "settle" in only:
                await settle(gateway, size, place)
            if "broadcasts" in only:
                await broadcasts(gateway, relay, size, rounds)
            if "hints" in only:
                await hints(gateway, relay, 3, rounds)
            if "mixed" in only:
                await mixed(gateway, relay, size)
            if "posts" in only:
                await posts(gateway, place)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--only", nargs="+", choices=FIGURES, default=FIGURES, help="not all figures but these"
    )
    options = parser.parse_args()
    asyncio.run(main(options.connections, options.rounds, options.only))
