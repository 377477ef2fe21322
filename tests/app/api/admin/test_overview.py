"""The live figures: of all processes together, of PostgreSQL, and honest about what nobody knows."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from websockets.asyncio.client import connect

from app.api import main, server
from app.db.pool import Pool
from app.settings import Settings
from tests.app.api.admin.people import Admin
from tests.app.api.admin.test_dead_letters import park
from tests.factories import Environment
from tests.harness import NO_REDIS, Process, eventually

PATH = "/admin/api/overview"
FAST_S = 1.5  # without Redis, on a busy machine


async def overview(console: httpx.AsyncClient) -> dict[str, Any]:
    answer = await console.get(PATH)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_it_shows_what_there_is(
    console: httpx.AsyncClient, backend: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    await backend.post("/v1/notifications", json={"subscriber_ids": ["ada", "bob"], "category": "c"})
    await park(pool, environment)
    await pool.execute(
        "INSERT INTO outbox (environment_id, id, job_type, payload, run_at)"
        " SELECT $1, gen_random_uuid(), 'hint', '{}', now() + n * interval '1 hour'"
        " FROM generate_series(1, 3) AS n",
        environment.id,
    )
    found = await eventually(
        lambda: overview(console),
        lambda found: (
            found["queue_depth"] == 3
            and bool(found["notifications_per_minute"])
            and sum(of["count"] for of in found["notifications_per_minute"]) == 2
        ),
    )
    assert set(found) == {
        *("as_of", "connections", "queue_due", "queue_depth", "dead_letters", "environments"),
        *("notifications_per_minute", "hint_latency_ms"),
    }
    assert (found["queue_due"], found["dead_letters"], found["environments"]) == (0, 1, 1)
    assert found["connections"] == 0
    now = datetime.fromisoformat(found["as_of"])
    minutes = [datetime.fromisoformat(of["minute"]) for of in found["notifications_per_minute"]]
    assert minutes == [
        now.replace(second=0, microsecond=0) - timedelta(minutes=ago) for ago in range(59, -1, -1)
    ]
    await pool.execute("UPDATE outbox SET run_at = now()")
    found = await overview(console)
    assert found["queue_due"] == found["queue_depth"] > 0


@pytest.mark.parametrize("how", ["refusing", "silent"])
async def test_without_redis_the_rest_is_there_fast(
    how: str, settings: Settings, grace: Admin, environment: Environment, pool: Pool
) -> None:
    await park(pool, environment)
    async with silent_server() as silent:
        url = silent if how == "silent" else NO_REDIS
        away = msgspec.structs.replace(settings, redis_url=url)
        async with (
            main.wire(away) as services,
            server.serve(main.create_app(services), server.listen(away.listen), patience_s=1) as address,
            grace.client(httpx.URL(f"http://{address}")) as console,
        ):
            for _ in range(3):
                started = time.monotonic()
                found = await overview(console)
                assert time.monotonic() - started < FAST_S
                assert found["connections"] is None
                assert found["notifications_per_minute"] is None
                assert found["hint_latency_ms"] == {"p50": None, "p99": None}
                assert (found["queue_due"], found["queue_depth"]) == (0, 0)
                assert (found["dead_letters"], found["environments"]) == (1, 1)


@asynccontextmanager
async def silent_server() -> AsyncGenerator[str]:
    """The URL of a Redis that takes connections and answers nothing."""

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    listening = await asyncio.start_server(ignore, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()[:2]
    try:
        yield f"redis://{host}:{port}/0"
    finally:
        listening.close()


@pytest.mark.faults
async def test_processes_are_added_up_and_a_killed_one_is_gone_within_ten_seconds(
    console: httpx.AsyncClient, environment: Environment, settings: Settings
) -> None:
    """Sockets and streams; and what was told to them within the last minute."""
    environ = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "BELLWIRE_LISTEN": "127.0.0.1:0",
        "BELLWIRE_GATEWAY_LISTEN": "127.0.0.1:0",
        "BELLWIRE_DRAIN_S": "0.2",
    }

    async def connections() -> int | None:
        return (await overview(console))["connections"]

    async with (
        Process.open("gateway", environ) as gateway,
        Process.open("api", environ) as one,
        Process.open("api", environ) as other,
    ):
        query = httpx.QueryParams(environment.subscriber_query("ada"))
        async with (
            stream(one, environment, "ada"),
            stream(one, environment, "bob"),
            stream(other, environment, "cyd"),
            connect(f"ws://{gateway.address}/v1/inbox/ws?{query}", proxy=None),
            httpx.AsyncClient(base_url=other.url, timeout=30, trust_env=False) as backend,
        ):
            await eventually(connections, lambda found: found == 4)
            for _ in range(3):
                sent = await backend.post(
                    "/v1/notifications",
                    json={"subscriber_ids": ["ada", "bob", "cyd"], "category": "c"},
                    headers=environment.management_headers,
                )
                assert sent.status_code == 201
            found = await eventually(
                lambda: overview(console), lambda found: found["hint_latency_ms"]["p50"] is not None
            )
            assert 0 < found["hint_latency_ms"]["p50"] <= found["hint_latency_ms"]["p99"] <= 10_000
            await one.killed()
            await eventually(connections, lambda found: found == 2, within_s=10)
        await eventually(connections, lambda found: found == 0)
        found = await overview(console)
        assert sum(of["count"] for of in found["notifications_per_minute"]) == 9  # whoever counted them


@asynccontextmanager
async def stream(process: Process, environment: Environment, person: str) -> AsyncGenerator[None]:
    """Somebody who follows their inbox, while the block runs."""
    async with (
        httpx.AsyncClient(base_url=process.url, timeout=30, trust_env=False) as client,
        client.stream("GET", "/v1/inbox/stream", headers=environment.subscriber_headers(person)) as answer,
    ):
        assert answer.status_code == 200
        yield
