"""How fast a worker publishes a backlog of hint jobs, and how large the outbox gets: `python -m bench.drain`.

The limit is PostgreSQL and Redis doing the least that could be done for the same jobs, in the same batches:
their rows read and deleted, their envelopes published, nothing leased, coalesced or noted. Needs
BELLWIRE_TEST_DATABASE_URL and BELLWIRE_TEST_REDIS_URL.
"""

import argparse
import asyncio
import os
import secrets
import shlex
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from app import redis
from app.db import notifications, outbox
from app.db.notifications import Draft
from app.db.outbox import Job
from app.db.pool import Pool
from app.worker.hints import BATCH, HintJobs
from bench.gateway import world
from bench.gateway.world import World

_CHUNK: Final = 500
_LEAST: Final = """
DELETE FROM outbox WHERE (environment_id, id) IN (
    SELECT environment_id, id FROM outbox_by_time
    WHERE job_type = 'hint' ORDER BY environment_id, run_at LIMIT $1)
RETURNING environment_id, id, payload
"""


# Sends that travel together owe one job; a backlog of as many jobs as sends is the harder case.
_SPLIT: Final = """
WITH owed AS (DELETE FROM outbox RETURNING *)
INSERT INTO outbox (environment_id, id, job_type, payload, run_at)
SELECT o.environment_id, position_at(clock_us()), o.job_type,
       jsonb_set(o.payload, '{hints}', jsonb_build_array(hint)), clock_timestamp()
FROM owed o CROSS JOIN LATERAL jsonb_array_elements(o.payload -> 'hints') AS hint
"""


async def send(place: World, first: int, people: int) -> None:
    """One item each to _CHUNK of them, from number `first` on; the jobs are due at once."""
    drafts = [
        Draft(
            environment_id=place.crowd.environment_id,
            idempotency_key=secrets.token_hex(8),
            fingerprint=b"bench",
            recipients=[f"subscriber-{(first + number) % people:05}"],
            category="bench",
            payload="{}",
            deliver_at=None,
            expires_at=None,
        )
        for number in range(_CHUNK)
    ]
    async with place.pool.acquire() as connection:
        await notifications.send_notifications(connection, drafts)
    await place.pool.execute("UPDATE outbox SET run_at = clock_timestamp() WHERE run_at > clock_timestamp()")


async def fill(place: World, jobs: int, people: int) -> None:
    for first in range(0, jobs, _CHUNK):
        await send(place, first, people)
    await place.pool.execute(_SPLIT)
    assert await place.pool.fetchval("SELECT count(*) FROM outbox") == jobs
    await place.pool.execute("VACUUM ANALYZE outbox")


async def drain(pool: Pool, client: Redis) -> float:
    """Seconds."""
    worker = HintJobs(pool, client)
    begun = time.monotonic()
    while await worker.run_once() == 0:
        pass
    return time.monotonic() - begun


async def least(pool: Pool, client: Redis) -> float:
    begun = time.monotonic()
    while rows := await pool.fetch(_LEAST, BATCH):
        jobs = [outbox.to_hint_job(Job(*row)) for row in rows]
        assert await redis.publish(client, [hint for job in jobs for hint in job.to_hints()])
    return time.monotonic() - begun


async def churn(place: World, client: Redis, seconds: float, people: int) -> tuple[int, int, int]:
    """Sends and drains for a while: jobs done, and the outbox's size halfway and at the end, in bytes."""
    worker, done, sizes = HintJobs(place.pool, client), 0, list[int]()
    begun = time.monotonic()
    while (elapsed := time.monotonic() - begun) < seconds:
        await send(place, done, people)
        while await worker.run_once() == 0:
            pass
        done += _CHUNK
        if not sizes and elapsed > seconds / 2:
            sizes.append(await _size(place.pool))
    return done, sizes[0], await _size(place.pool)


async def _size(pool: Pool) -> int:
    return await pool.fetchval("SELECT pg_total_relation_size('outbox')")


async def main(jobs: int, rounds: int, seconds: float) -> None:
    print(f"$ python -m bench.drain {shlex.join(sys.argv[1:])}   load average {os.getloadavg()[0]:.2f}")
    people = jobs  # nobody twice, so that nothing is coalesced
    with tempfile.TemporaryDirectory() as directory:
        async with (
            world.create(Path(directory), people) as place,
            redis.connect(place.redis_url) as client,
        ):
            took: dict[str, list[float]] = {"product": [], "limit": []}
            for _ in range(rounds):
                for name, measured in (("product", drain), ("limit", least)):
                    await fill(place, jobs, people)
                    took[name].append(await measured(place.pool, client))
            product, limit = (jobs / statistics.median(took[name]) for name in ("product", "limit"))
            print(
                f"hint jobs of one environment drained  {product:9.0f} /s  limit {limit:9.0f} /s"
                f"  ratio {product / limit:4.2f}  >= 6000 /s"
            )
            done, halfway, end = await churn(place, client, seconds, people)
            print(
                f"outbox after {done} jobs in {seconds:.0f} s  {end / 1024:9.0f} KiB"
                f"  halfway {halfway / 1024:.0f} KiB  ratio {end / halfway:4.2f}  bounded: about 1"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000, help="a multiple of 500")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of sustained churn")
    options = parser.parse_args()
    asyncio.run(main(options.jobs, options.rounds, options.seconds))
