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
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.gateway import figures, programs, world
from bench.gateway.figures import Target
from bench.gateway.programs import Load
from bench.gateway.world import World


def show(figure: str, product: float, unit: str, limit: float | None = None, reach: str = "") -> None:
    ratio = "" if limit is None else f"limit {limit:9.3f} {unit:3} ratio {product / limit:5.2f}"
    print(f"{figure:44} {product:9.3f} {unit:4} {ratio:38} {reach}", flush=True)


@asynccontextmanager
async def targets(directory: Path, place: World) -> AsyncGenerator[tuple[Target, Target]]:
    """The gateway, and the relay."""
    async with (
        programs.gateway(place.environ) as (gateway_pid, gateway_port),
        programs.relay(directory, place.redis) as (relay_pid, relay_port),
        Load.open(directory, gateway_port, place.crowd.targets) as gateway_load,
        Load.open(directory, relay_port, place.twins.targets) as relay_load,
    ):
        yield (
            Target(gateway_pid, gateway_load, place.crowd, directory, place),
            Target(relay_pid, relay_load, place.twins, directory, place),
        )


async def connects(gateway: Target, size: int) -> None:
    few = size // 50
    await figures.connect(gateway, 0, few)
    base_kib = programs.rss_kib(gateway.pid)
    opened = await figures.connect(gateway, few, size)
    show("authenticated connects", opened.per_s, "/s", reach=">= 2500")
    kib = (programs.rss_kib(gateway.pid) - base_kib) / (size - few)
    show("memory of a connection", kib, "KiB", reach="<= 14")


async def broadcasts(gateway: Target, relay: Target, size: int, rounds: int) -> None:
    product: list[figures.Broadcast] = []
    limit: list[figures.Broadcast] = []
    for _ in range(rounds):
        for target, taken in ((gateway, product), (relay, limit)):
            await target.load.ask("reset")
            taken.append(await figures.broadcast(target, size))
            await asyncio.sleep(0.7)
    show(
        "broadcast, last receiver, p50",
        statistics.median(one.last_ms for one in product),
        "ms",
        statistics.median(one.last_ms for one in limit),
        "ratio <= 1.25",
    )
    show(
        "broadcast with its counts, processor time",
        statistics.median(one.cpu_ms for one in product),
        "ms",
        statistics.median(one.cpu_ms for one in limit),
    )


async def hints(gateway: Target, relay: Target, seconds: int, rounds: int) -> None:
    idle = await figures.idle_cpu(gateway, 10)
    show("idle, keepalive on", 100 * idle, "%", reach="<= 3")
    product: list[figures.Hints] = []
    limit: list[figures.Hints] = []
    for _ in range(rounds):
        product.append(await figures.hints(gateway, rate=1000, seconds=seconds, idle=idle))
        limit.append(await figures.hints(relay, rate=1000, seconds=seconds, idle=0))
    for name, reach in (("p50_ms", "<= 1"), ("p99_ms", "<= 10"), ("cpu_us", "ratio <= 1.6")):
        show(
            f"hint, 1000/s, {name}",
            statistics.median(getattr(one, name) for one in product),
            name.rpartition("_")[2],
            statistics.median(getattr(one, name) for one in limit),
            reach,
        )


async def main(size: int, rounds: int) -> None:
    print(f"$ python -m bench.gateway {shlex.join(sys.argv[1:])}   load average {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        programs.compile_programs(directory)
        async with world.create(directory, size) as place, targets(directory, place) as (gateway, relay):
            await connects(gateway, size)
            await figures.connect(relay, 0, size)
            await broadcasts(gateway, relay, size, rounds)
            await hints(gateway, relay, 3, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    asyncio.run(main(options.connections, options.rounds))
