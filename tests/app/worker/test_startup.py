"""A worker that starts before the schema is there, as in a rolling deploy, waits for it and says so."""

import asyncio
import signal
import sys

import asyncpg
import pytest

from app.db import migrate
from app.db.pool import Pool
from tests.harness import ROOT, Process, eventually

pytestmark = pytest.mark.faults


@pytest.fixture
async def unmigrated_url(database_url: str) -> str:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    finally:
        await connection.close()
    return database_url


async def has_looked(pool: Pool) -> bool:
    """And has been answered: what is migrated from now on comes too late for that answer."""
    return await pool.fetchval(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'bellwire worker' AND query LIKE '%schema_migrations%' AND state = 'idle')"
    )


async def test_a_worker_waits_for_the_migration(unmigrated_url: str, redis_url: str, pool: Pool) -> None:
    """One line says so, and the next that it is up."""
    starting = asyncio.create_task(
        Process.start("worker", {"DATABASE_URL": unmigrated_url, "REDIS_URL": redis_url})
    )
    await eventually(lambda: has_looked(pool), within_s=20)
    assert not starting.done()
    await migrate.migrate(unmigrated_url)
    worker = await starting
    waiting, up = worker.output
    assert '"waiting for the schema"' in waiting
    assert "bellwire migrate" in waiting
    assert '"up"' in up
    assert await worker.stop() == 0


async def test_a_schema_that_never_will_be_this_release_s_is_one_line(
    database_url: str, redis_url: str, pool: Pool
) -> None:
    """What no waiting cures ends the process."""
    await pool.execute("UPDATE schema_migrations SET checksum = 'other' WHERE name = '0001_initial.sql'")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "worker"),
        cwd=ROOT,
        env={"DATABASE_URL": database_url, "REDIS_URL": redis_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(child.communicate(), 20)
    assert child.returncode == 1
    [line] = said.decode().splitlines()
    assert line.startswith("Error: this database was made by another build: 0001_initial.sql")


async def test_a_worker_that_waits_stops_when_told(unmigrated_url: str, redis_url: str, pool: Pool) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "worker"),
        cwd=ROOT,
        env={"DATABASE_URL": unmigrated_url, "REDIS_URL": redis_url},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await eventually(lambda: has_looked(pool), within_s=20)
        child.send_signal(signal.SIGTERM)
        said, _ = await asyncio.wait_for(child.communicate(), 10)
    finally:
        if child.returncode is None:
            child.kill()
    assert child.returncode == 0
    assert b"up" not in said.split()
