"""Every test has a database of its own, copied from a migrated template in some 25 ms, and a flushed Redis.

`bin/test` starts both servers and names them in BELLWIRE_TEST_DATABASE_URL (a superuser's URL) and
BELLWIRE_TEST_REDIS_URL.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator, Generator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app import redis
from app.db import migrate
from app.db.pool import Connection, Pool, create_pool
from tests.factories import Environment, make_environment
from tests.harness import Stack

_numbers = itertools.count(1)


def _server(variable: str) -> str:
    url = os.environ.get(variable)
    if not url:
        pytest.exit(f"{variable} is not set: run the tests with bin/test, which starts the servers", 2)
    return url


def _database(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def _administer(server: str, *statements: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(server)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())


@pytest.fixture(scope="session")
def template() -> Generator[str]:
    """The name of a migrated, empty database that nobody is connected to."""
    server = _server("BELLWIRE_TEST_DATABASE_URL")
    name = f"bellwire_template_{os.getpid()}"
    _administer(server, f"CREATE DATABASE {name}")
    asyncio.run(migrate.migrate(_database(server, name)))
    yield name
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(template: str) -> Generator[str]:
    """A fresh migrated database; gone after the test, whoever is still connected."""
    server = _server("BELLWIRE_TEST_DATABASE_URL")
    name = f"bellwire_test_{os.getpid()}_{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _database(server, name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url() -> str:
    """A flushed Redis."""
    url = _server("BELLWIRE_TEST_REDIS_URL")

    async def flush() -> None:
        async with redis.connect(url) as client:
            await client.flushall()

    asyncio.run(flush())
    return url


@pytest.fixture
async def pool(database_url: str) -> AsyncGenerator[Pool]:
    async with create_pool(database_url, size=20, name="test") as created:
        yield created


@pytest.fixture
async def connection(pool: Pool) -> AsyncGenerator[Connection]:
    async with pool.acquire() as acquired:
        yield acquired


@pytest.fixture
async def environment(pool: Pool) -> Environment:
    """An environment `acme` that requires a proof, with an API key."""
    return await make_environment(pool, "acme")


@pytest.fixture
async def stack(database_url: str, redis_url: str, environment: Environment) -> AsyncGenerator[Stack]:
    """API, gateway and worker, each a process of its own, on ports of their own."""
    async with Stack.open(database_url, redis_url) as started:
        yield started
