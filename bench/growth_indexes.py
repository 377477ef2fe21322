"""What each index of delivered items costs a send."""

import itertools
import json
import random
import time
from typing import Final

import asyncpg
import msgspec

from app.db.notifications import SEND_NOTIFICATIONS
from app.db.pool import Connection, create_pool
from bench.growth_world import PAYLOAD

BATCH: Final = 64
CROWD: Final = 10_000  # people to send to
SKIP_BUSY: Final = False
VARIANTS: Final = {
    "as it is": "",
    "without notifications_position": "DROP INDEX notifications_position",
    "without notifications_view": "DROP INDEX notifications_view",
    "without notifications_category_view": "DROP INDEX notifications_category_view",
    "without notifications_expiry": "DROP INDEX notifications_expiry",
    "without notifications_category": "DROP INDEX notifications_category",
}

_numbers = itertools.count(1)


class Cost(msgspec.Struct, frozen=True):
    """Of one send among 64. wal: bytes, without the images of whole pages."""

    buffers: float
    wal: float
    us: float


async def measure(seeding: asyncpg.Connection, url: str, rounds: int) -> bool:
    """Each variant several times in turn, in a transaction that is undone."""
    environment_id = await seeding.fetchval("SELECT id FROM environments WHERE slug = 'busy'")
    await seeding.close()
    found: dict[str, list[Cost]] = {name: [] for name in VARIANTS}
    async with create_pool(url, size=1, name="bench") as pool, pool.acquire() as connection:
        for _ in range(max(rounds // 20, 3)):
            order = random.sample(list(VARIANTS.items()), len(VARIANTS))  # none is always after another
            for name, change in order:
                transaction = connection.transaction()
                await transaction.start()
                if change:
                    await connection.execute(change)
                found[name] += [await _send(connection, environment_id) for _ in range(10)][2:]
                await transaction.rollback()
    print(f"\n{'one send among ' + str(BATCH):44} {'buffers':>8} {'WAL bytes':>10} {'us':>8} {'ratio':>6}")
    base = _typical([cost.us for cost in found["as it is"]])
    for name, costs in found.items():
        us = _typical([cost.us for cost in costs])
        print(
            f"{name:44} {_typical([cost.buffers for cost in costs]):8.1f}"
            f" {_typical([cost.wal for cost in costs]):10.0f} {us:8.1f} {us / base:6.2f}"
        )
    return True


async def _send(connection: Connection, environment_id: object) -> Cost:
    numbers = [next(_numbers) for _ in range(BATCH)]
    begun = time.perf_counter()
    [[text]] = await connection.fetch(
        f"EXPLAIN (ANALYZE, BUFFERS, WAL, TIMING OFF, FORMAT JSON) {SEND_NOTIFICATIONS}",
        [environment_id] * BATCH,
        [f"key-{number}" for number in numbers],
        [b"fingerprint"] * BATCH,
        [f"common.{number % 10}" for number in numbers],
        [PAYLOAD] * BATCH,
        [None] * BATCH,
        [None] * BATCH,
        list(range(1, BATCH + 1)),
        [f"crowd-{number * 7919 % CROWD + 1}" for number in numbers],
        SKIP_BUSY,
    )
    taken = time.perf_counter() - begun
    plan = json.loads(text)[0]["Plan"]
    buffers = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    wal = plan["WAL Bytes"] - 8192 * plan["WAL FPI"]
    return Cost(buffers / BATCH, wal / BATCH, 1e6 * taken / BATCH)


def _typical(values: list[float]) -> float:
    """The lower quartile: what the rest of the machine does meanwhile only ever adds."""
    return sorted(values)[len(values) // 4]
