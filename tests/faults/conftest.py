"""Servers that only these tests use, because they are cruel to them; durable, unlike the others'."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from stack.scratch import Scratch
from stack.servers import EmbeddedPostgres, EmbeddedRedis

from app import redis
from app.db import migrate
from tests.faults.machine import DURABLE, Machine

Servers: TypeAlias = tuple[EmbeddedPostgres, EmbeddedRedis]

_TEMPLATE = "bellwire_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers() -> Generator[Servers]:
    """With a migrated template database."""
    with (
        Scratch("faults") as scratch,
        EmbeddedPostgres(scratch.path / "postgres", settings=DURABLE) as postgres,
        EmbeddedRedis(scratch.path / "redis") as cache,
    ):
        asyncio.run(_administer(postgres, f"CREATE DATABASE {_TEMPLATE}"))
        asyncio.run(migrate.migrate(_url(postgres, _TEMPLATE)))
        yield postgres, cache


@pytest.fixture
async def empty_database_url(servers: Servers) -> AsyncGenerator[str]:
    """A database with nothing in it, on servers that are up, whatever the test before did to them."""
    async with _database(servers, "TEMPLATE template1") as url:
        yield url


@pytest.fixture
async def machine(servers: Servers) -> AsyncGenerator[Machine]:
    """A migrated database of its own and a flushed Redis; no process runs yet."""
    postgres, cache = servers
    async with (
        _database(servers, f"TEMPLATE {_TEMPLATE}") as url,
        Machine.open(postgres, cache, url) as opened,
    ):
        yield opened


@asynccontextmanager
async def _database(servers: Servers, options: str) -> AsyncGenerator[str]:
    for server in servers:
        if server.running:
            await asyncio.to_thread(server.resume)
        await asyncio.to_thread(server.start)
    postgres, cache = servers
    async with redis.connect(cache.url) as client:
        await client.flushall()
    name = f"bellwire_{next(_numbers)}"
    await _administer(postgres, f"CREATE DATABASE {name} {options}")
    yield _url(postgres, name)
    await asyncio.to_thread(postgres.start)
    await _administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def _url(postgres: EmbeddedPostgres, name: str) -> str:
    return urlunsplit(urlsplit(postgres.url)._replace(path=f"/{name}"))


async def _administer(postgres: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
