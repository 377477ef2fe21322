"""The command line of bench/growth."""

import argparse
import asyncio
import os
import shlex
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app.db.migrate import migrate
from app.db.pool import create_pool
from bench import growth_figures, growth_indexes
from bench.growth_figures import Measured

MOST: Final = 1.5
DESCRIPTION: Final = """
Seeds short and long histories in a database of its own, and times each kind of call against both, in turn,
beside a bare SELECT 1. Prints p50 and p99 in milliseconds, the ratio of the medians, and whether it is within
1.5. Needs a PostgreSQL server in BELLWIRE_TEST_DATABASE_URL or DATABASE_URL, and the right to create a
database there; it is dropped at the end.
"""


@asynccontextmanager
async def database(server: str) -> AsyncGenerator[str]:
    """A migrated database of its own, dropped at the end."""
    name = f"bellwire_growth_{os.getpid()}"
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        try:
            url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
            await migrate(url)
            yield url
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


def show_progress(what: str, done: int, total: int) -> None:
    """One line that is written over, in a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r{what:30} {100 * done // total:3} %", end="" if done < total else "\n", file=sys.stderr)


def show(measured: Measured, most: float | None) -> bool:
    small, large = measured.small, measured.large
    ratio = large.p50 / small.p50
    verdict = "" if most is None else "pass" if ratio <= most else "FAIL"
    print(
        f"{measured.figure:54} {small.p50:8.3f} {small.p99:8.3f} {large.p50:8.3f} {large.p99:8.3f}"
        f" {ratio:6.2f} {verdict:4} {measured.bare.p50:8.3f}",
        flush=True,
    )
    return verdict != "FAIL"


async def measure(server: str, options: argparse.Namespace) -> bool:
    """Whether every figure is within its bound."""
    async with database(server) as url:
        seeding = await asyncpg.connect(url)
        begun = time.monotonic()
        await growth_figures.seed(seeding, options.short, options.long, show_progress)
        print(f"seeded {options.short} and {options.long} items in {time.monotonic() - begun:.0f} s")
        if options.indexes:
            return await growth_indexes.measure(seeding, url, options.rounds)
        await seeding.close()
        print(f"\n{'milliseconds':54} {'small':>17} {'large':>17}")
        print(f"{'':54} {'p50':>8} {'p99':>8} {'p50':>8} {'p99':>8} {'ratio':>6} {'':4} {'SELECT 1':>8}")
        good = True
        async with create_pool(url, size=1, name="bench") as pool, pool.acquire() as connection:
            async for measured in growth_figures.measure(
                connection, options.short, options.long, options.rounds
            ):
                good = show(measured, MOST) and good
    print(f"\nagain: {shlex.join([sys.argv[0], *sys.argv[1:]])}")
    return good


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/growth", description=DESCRIPTION)
    parser.add_argument("--short", type=int, default=1_000, help="items of a short history (%(default)s)")
    parser.add_argument("--long", type=int, default=100_000, help="items of a long one (%(default)s)")
    parser.add_argument("--rounds", type=int, default=200, help="calls of each kind (%(default)s)")
    parser.add_argument("--indexes", action="store_true", help="instead: what each index costs a send")
    options = parser.parse_args()
    server = os.environ.get("BELLWIRE_TEST_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if not server:
        parser.error("set BELLWIRE_TEST_DATABASE_URL or DATABASE_URL to a PostgreSQL server")
    sys.exit(0 if asyncio.run(measure(server, options)) else 1)
