"""How near the gateway is to the limit of the machine: `python -m bench.gateway`.

Needs gcc, and BELLWIRE_TEST_DATABASE_URL and BELLWIRE_TEST_REDIS_URL.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.gateway import figures, programs, world
from bench.gateway.figures import Target
from bench.gateway.programs import Load
from bench.gateway.world import World


def show(figure: str, product: float, unit: str, limit: float | None = None, reach: str = "") -> None:
    ratio = "" if limit is None else f"limit {limit:9.3f} {unit}   ratio {product / limit:5.2f}"
    print(f"{figure:44} {product:9.3f} {unit:4} {ratio:44} {reach}", flush=True)


@asynccontextmanager
async def target_gateway(directory: Path, place: World) -> AsyncGenerator[Target]:
    async with (
        programs.gateway(place.environ) as (pid, port),
        Load.open(directory, port, place.targets) as load,
    ):
        yield Target(pid, load, directory, place)


@asynccontextmanager
async def target_relay(directory: Path, place: World) -> AsyncGenerator[Target]:
    async with (
        programs.relay(directory, place.redis) as (pid, port),
        Load.open(directory, port, place.targets) as load,
    ):
        yield Target(pid, load, directory, place)


async def main(size: int, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        programs.compile_programs(directory)
        async with world.create(directory, size) as place:
            async with target_relay(directory, place) as relay:
                await figures.connect(relay, 0, size)
                limit_broadcast = figures.median(await figures.broadcast(relay, size, 7))
                limit_hints = await figures.hints(relay, rate=1000, seconds=seconds)
            async with target_gateway(directory, place) as gateway:
                few = min(100, size)
                await figures.connect(gateway, 0, few)
                base_kib = programs.rss_kib(gateway.pid)
                opened = await figures.connect(gateway, few, size)
                show("authenticated connects a second", opened.per_s, "/s", reach=">= 2500")
                kib = (programs.rss_kib(gateway.pid) - base_kib) / (size - few)
                show("memory of a connection", kib, "KiB", reach="<= 14")
                await asyncio.sleep(1)
                product = figures.median(await figures.broadcast(gateway, size, 7))
                show("broadcast, last receiver, p50", product, "ms", limit_broadcast, "ratio <= 1.25")
                idle = await figures.idle_cpu(gateway, 2 * seconds)
                found = await figures.hints(gateway, rate=1000, seconds=seconds)
                show("publish to frame, 1000/s, p50", found.p50_ms, "ms", limit_hints.p50_ms, "<= 1")
                show("publish to frame, 1000/s, p99", found.p99_ms, "ms", limit_hints.p99_ms, "<= 10")
                show(
                    "processor time of a hint",
                    found.cpu_us - idle * 1000,
                    "us",
                    limit_hints.cpu_us,
                    "ratio <= 1.6",
                )
                show(
                    "idle, keepalive on",
                    100 * idle,
                    "%",
                    reach="<= 3",
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=5, help="of each stream of hints")
    options = parser.parse_args()
    asyncio.run(main(options.connections, options.seconds))
