"""How late scheduled items become visible: `python -m bench.delivery`.

A worker process delivers items whose times are scattered over some seconds. Lateness is the item's place in
the inbox less its deliver_at, both by the database's clock. The limit is a process that sleeps to each of
as many moments and then asks PostgreSQL for the time. Needs BELLWIRE_TEST_DATABASE_URL and
BELLWIRE_TEST_REDIS_URL.
"""

import argparse
import asyncio
import os
import random
import secrets
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from app.db import notifications
from app.db.notifications import Draft
from app.db.pool import Pool
from bench.gateway import world
from bench.gateway.world import World
from tests.harness import Process, eventually

_PEOPLE: Final = 200
_LEAD_S: Final = 3.0

_LATENESS: Final = """
SELECT extract(epoch FROM from_us(position_us(position)) - deliver_at)::float8 * 1000 FROM notifications
"""


async def _now(pool: Pool) -> datetime:
    now: datetime | None = await pool.fetchval("SELECT clock_timestamp()")
    assert now is not None
    return now


async def schedule(place: World, items: int, seconds: float) -> None:
    begin = await _now(place.pool) + timedelta(seconds=_LEAD_S)
    for first in range(0, items, 100):
        drafts = [
            Draft(
                environment_id=place.crowd.environment_id,
                idempotency_key=secrets.token_hex(8),
                fingerprint=b"bench",
                recipients=[f"subscriber-{random.randrange(_PEOPLE):05}"],
                category="bench",
                payload="{}",
                deliver_at=begin + timedelta(seconds=random.uniform(0, seconds)),
                expires_at=None,
            )
            for _ in range(min(100, items - first))
        ]
        async with place.pool.acquire() as connection:
            await notifications.send_notifications(connection, drafts)


async def delivered(place: World, items: int, seconds: float) -> list[float]:
    """Milliseconds each was late."""

    async def count() -> int:
        return await place.pool.fetchval("SELECT count(*) FROM notifications")

    await asyncio.sleep(seconds)
    await eventually(count, lambda found: found == items, within_s=_LEAD_S + 30)
    return [late for (late,) in await place.pool.fetch(_LATENESS)]


async def slept(pool: Pool, items: int, seconds: float) -> list[float]:
    """The same for nothing but sleeping and asking for the time."""
    late: list[float] = []
    offset = (await _now(pool)).timestamp() - time.monotonic()
    begin = time.monotonic() + 0.1
    for moment in sorted(begin + random.uniform(0, seconds) for _ in range(items)):
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        late.append(((await _now(pool)).timestamp() - offset - moment) * 1000)
    return late


def show(product: Sequence[float], limit: Sequence[float]) -> None:
    for percent, reach in ((50, "< 20 ms"), (99, "")):
        ours, least = (sorted(late)[(len(late) - 1) * percent // 100] for late in (product, limit))
        print(
            f"late at deliver_at, p{percent}  {ours:8.2f} ms  limit {least:8.2f} ms"
            f"  ratio {ours / least:6.2f}  {reach}"
        )


async def main(items: int, seconds: float) -> None:
    print(f"$ python -m bench.delivery {shlex.join(sys.argv[1:])}   load average {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as directory:
        async with world.create(Path(directory), _PEOPLE) as place:
            async with Process.open("worker", place.environ):
                await schedule(place, items, seconds)
                product = await delivered(place, items, seconds)
            show(product, await slept(place.pool, items, seconds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0, help="over which they are scattered")
    options = parser.parse_args()
    asyncio.run(main(options.items, options.seconds))
