"""One database, seeded once: a quiet environment and a busy one, each with short and long histories."""

import asyncio
import os
from collections.abc import AsyncGenerator, Generator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app.db.pool import Connection, create_pool
from bench import growth_world
from tests.app.cost.people import History

SHORT, LONG = 1_000, 100_000
TINY = 100


@pytest.fixture(scope="session")
def history_url(template: str) -> Generator[str]:
    server = os.environ["BELLWIRE_TEST_DATABASE_URL"]
    name = f"bellwire_cost_{os.getpid()}"
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))

    async def create() -> None:
        admin = await asyncpg.connect(server)
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        await admin.close()
        connection = await asyncpg.connect(url)  # the pool's plans are for small statements
        await _seed(connection)
        await connection.close()

    async def drop() -> None:
        admin = await asyncpg.connect(server)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()

    asyncio.run(create())
    yield url
    asyncio.run(drop())


async def _seed(connection: Connection) -> None:
    await growth_world.open_months(connection)
    quiet = await growth_world.create_environment(connection, "quiet")
    busy = await growth_world.create_environment(connection, "busy")
    for environment, crowd, broadcasts, backlog in ((quiet, 100, 10, 10), (busy, 100_000, 1_000, LONG)):
        await growth_world.create_crowd(connection, environment, crowd)
        await growth_world.create_broadcasts(connection, environment, broadcasts)
        await growth_world.create_jobs(connection, environment, backlog // 10)
        for name, items in (("tiny", TINY), ("short", SHORT)):
            await growth_world.create_inbox(connection, environment, name, items)
        await growth_world.create_inbox(connection, environment, "short-decided", SHORT, decided=True)
        waiting = await growth_world.create_inbox(connection, environment, "waiting", TINY)
        await growth_world.create_backlog(connection, environment, waiting, backlog)
    await growth_world.create_inbox(connection, busy, "long", LONG)
    await growth_world.create_inbox(connection, busy, "long-decided", LONG, decided=True)
    await growth_world.analyze(connection)


@pytest.fixture
async def history(history_url: str) -> AsyncGenerator[History]:
    """A connection in a transaction that is rolled back, with the plans of the application's pool."""
    async with create_pool(history_url, size=1, name="cost") as pool, pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield History(connection)
        finally:
            await transaction.rollback()
            await connection.execute("VACUUM")  # what was rolled back would cost the next one
