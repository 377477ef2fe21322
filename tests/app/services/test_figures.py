"""Figures of several processes: added up, and forgotten with the process."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from app import redis, telemetry
from app.services import figures
from app.services.figures import Reporter, Totals
from app.telemetry import LoopHistogram
from tests.harness import NO_REDIS, eventually
from tests.passage import Passage

MINUTE = 29_000_000
FAST_S = 1.0  # for an answer without Redis


@pytest.fixture
async def client(redis_url: str) -> AsyncGenerator[Redis]:
    async with redis.connect(redis_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def histogram() -> LoopHistogram:
    return LoopHistogram("test_quantiles_seconds", "For this test.", (0.001, 0.01, 0.1))


async def totals(client: Redis) -> Totals | None:
    return await figures.totals(client, minute=int(time.time() // 60))


async def test_processes_are_added_up_and_one_that_ends_takes_its_own_along(client: Redis) -> None:
    telemetry.connections.inc(3)
    try:
        async with Reporter.open(client):
            async with Reporter.open(client):
                await eventually(
                    lambda: totals(client), lambda found: found is not None and found.connections == 6
                )
            found = await totals(client)
            assert found is not None
            assert found.connections == 3
        assert await totals(client) is None
    finally:
        telemetry.connections.dec(3)


async def test_one_that_dies_is_forgotten(client: Redis) -> None:
    """Its name too, by whoever reads next."""
    await redis.write_figures(client, "living", b"1", minute=MINUTE, created=0)
    await redis.write_figures(client, "dead", b"2", minute=MINUTE, created=0)
    assert await client.pttl("bellwire:{figures:1}:dead") <= 10_000
    await client.pexpire("bellwire:{figures:1}:dead", 1)

    async def processes() -> Sequence[bytes] | None:
        found = await redis.read_figures(client, minute=MINUTE)
        return None if found is None else found.processes

    assert await eventually(processes, lambda found: found is not None and len(found) == 1) == [b"1"]
    assert await client.smembers("bellwire:{figures:1}") == {b"living"}


async def test_what_was_created_is_kept_by_minute_for_an_hour(client: Redis) -> None:
    """Minutes without any are there, and are zero; what is older is not, nor what is to come."""
    said = figures.ProcessFigures(0, telemetry.hint_latency.observed)
    for minute, created in ((MINUTE - 60, 1), (MINUTE - 59, 2), (MINUTE, 3), (MINUTE, 4), (MINUTE + 1, 5)):
        await redis.write_figures(client, "one", msgspec.json.encode(said), minute=minute, created=created)
    found = await figures.totals(client, minute=MINUTE)
    assert found is not None
    assert found.created == [(MINUTE - 59, 2), *((MINUTE - ago, 0) for ago in range(58, 0, -1)), (MINUTE, 7)]


async def test_each_notification_is_counted_once(client: Redis) -> None:
    async def created() -> int:
        found = await totals(client)
        return 0 if found is None else sum(count for _, count in found.created)

    async with Reporter.open(client):
        telemetry.count_created("acme", 2)
        await eventually(created, lambda number: number == 2)
        telemetry.count_created("acme", 1)
        await eventually(created, lambda number: number == 3)


async def test_what_was_created_while_redis_was_away_is_told_afterwards(
    client: Redis, redis_url: str, unused_tcp_port: int
) -> None:
    """Once, however often it could not be told."""
    async with redis.connect(f"redis://127.0.0.1:{unused_tcp_port}/0") as own:
        reporter = Reporter(own)
        telemetry.count_created("acme", 5)
        await reporter.report()
        await reporter.report()
        assert await totals(client) is None
        async with Passage.open(redis_url, unused_tcp_port):
            await reporter.report()
            await reporter.report()
    found = await totals(client)
    assert found is not None
    assert sum(count for _, count in found.created) == 5


async def test_a_report_that_failed_is_not_the_last(client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "EVERY_S", 0.02)
    failures: list[Exception] = [ValueError("a defect")]
    write = redis.write_figures

    async def failing(*arguments: Any, **named: Any) -> bool:
        if failures:
            raise failures.pop()
        return await write(*arguments, **named)

    monkeypatch.setattr(redis, "write_figures", failing)
    async with Reporter.open(client):
        await eventually(lambda: totals(client))
    assert failures == []


async def test_without_redis_nobody_can_tell_and_nobody_waits(unanswering: str) -> None:
    for url in (NO_REDIS, unanswering):
        async with redis.connect(url) as client:
            started = time.monotonic()
            assert await totals(client) is None
            assert time.monotonic() - started < FAST_S


async def test_a_process_ends_soon_though_redis_does_not_answer(unanswering: str) -> None:
    async with redis.connect(unanswering) as client:
        async with Reporter.open(client):
            await asyncio.sleep(0)
            started = time.monotonic()
        assert time.monotonic() - started < 2 * redis.TIMEOUT_S + FAST_S


@pytest.fixture
async def unanswering() -> AsyncGenerator[str]:
    """The URL of something that takes connections, reads, and never says a word."""

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(ignore, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    yield f"redis://{host}:{port}/0"
    server.close()


def test_quantiles_lie_where_the_observations_are(histogram: LoopHistogram) -> None:
    """Evenly spread within their bucket; what is beyond the last bound is told as that."""
    assert histogram.quantile(0.5, (0, 0, 0, 0)) is None
    assert histogram.quantile(0.5, (10, 0, 0, 0)) == pytest.approx(0.0005)
    assert histogram.quantile(0.99, (98, 0, 2, 0)) == pytest.approx(0.055)
    assert histogram.quantile(0.5, (0, 4, 0, 0)) == pytest.approx(0.0055)
    assert histogram.quantile(0.99, (1, 0, 0, 99)) == pytest.approx(0.1)
    assert histogram.quantile(1.0, (5, 0, 0, 0)) == pytest.approx(0.001)
