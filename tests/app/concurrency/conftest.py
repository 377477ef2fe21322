"""Backends over one database, gates to stop them at, and a look at what PostgreSQL went through."""

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Final, Protocol

import pytest

from tests.app.concurrency.backend import Backend
from tests.app.concurrency.gates import PAUSED, Clock, Gates
from tests.factories import Environment

# The same tests, seeded otherwise and for many times as long.
LONG: Final = bool(os.environ.get("BELLWIRE_TEST_LONG"))


class OpenBackend(Protocol):
    async def __call__(self, name: str = "other", size: int = 4, *, redis_url: str = ...) -> Backend: ...


@pytest.fixture
async def open_backend(
    database_url: str, redis_url: str, environment: Environment
) -> AsyncGenerator[OpenBackend]:
    """Opens backends of the environment `acme`; they end with the test."""
    async with AsyncExitStack() as stack:

        async def open_one(name: str = "other", size: int = 4, *, redis_url: str = redis_url) -> Backend:
            return await stack.enter_async_context(
                Backend.open(database_url, redis_url, environment, name=name, size=size)
            )

        yield open_one


@pytest.fixture
async def backend(open_backend: OpenBackend) -> Backend:
    return await open_backend()


@pytest.fixture
async def paused(open_backend: OpenBackend) -> Backend:
    """The backend that stops at gates."""
    return await open_backend(PAUSED)


@pytest.fixture
async def gates(database_url: str) -> AsyncGenerator[Gates]:
    async with Gates.open(database_url) as opened:
        yield opened


@pytest.fixture
async def clock(database_url: str) -> AsyncGenerator[Clock]:
    """The database's clock, standing still."""
    async with Clock.take(database_url) as taken:
        yield taken
