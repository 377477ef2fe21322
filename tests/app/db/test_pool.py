"""What callers are told where the server is there and no use."""

import asyncio
import time
from collections.abc import Generator

import asyncpg
import pytest
from stack.scratch import Scratch
from stack.servers import EmbeddedPostgres

from app.contract.errors import Unavailable
from app.db.pool import CLOSE_TIMEOUT_S, acquire, create_pool

SLACK_S = 1.5  # of a busy machine


@pytest.fixture
def own_postgres() -> Generator[EmbeddedPostgres]:
    with (
        Scratch("pool", in_memory=True) as scratch,
        EmbeddedPostgres(scratch.path / "postgres", settings={"fsync": "off"}) as server,
    ):
        yield server


async def test_a_server_that_refuses_is_away_too(database_url: str) -> None:
    async with create_pool(f"{database_url}_elsewhere", size=1, name="test") as pool:
        with pytest.raises(Unavailable, match="refuses") as refused:
            async with acquire(pool):
                pass
    assert isinstance(refused.value.__cause__, asyncpg.InvalidCatalogNameError)


async def test_a_wrong_statement_is_no_refusal(database_url: str) -> None:
    async with create_pool(database_url, size=1, name="test") as pool:
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with acquire(pool) as connection:
                await connection.execute("SELECT 1 / 0")


@pytest.mark.faults
async def test_nobody_waits_for_a_frozen_server_longer_than_meant(own_postgres: EmbeddedPostgres) -> None:
    """Neither to give up a statement, nor to end."""
    async with create_pool(own_postgres.url, size=2, name="test") as pool:
        async with acquire(pool) as one, acquire(pool) as other:
            assert [await connection.fetchval("SELECT 1") for connection in (one, other)] == [1, 1]
        own_postgres.pause()
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), acquire(pool) as connection:
                await connection.fetchval("SELECT 1")
        assert time.monotonic() - begun < SLACK_S
        begun = time.monotonic()
    assert time.monotonic() - begun < CLOSE_TIMEOUT_S + SLACK_S
    own_postgres.resume()
