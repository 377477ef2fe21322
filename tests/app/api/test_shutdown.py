"""SIGTERM: not ready, a grace, no new connections, what is under way ends, exit 0."""

import asyncio

import httpx
import pytest

from app.db.pool import Pool
from tests.app.api.wire import assert_refused
from tests.factories import Environment
from tests.harness import Process, eventually

pytestmark = pytest.mark.faults


async def test_sigterm_lets_what_is_under_way_end(
    database_url: str, redis_url: str, environment: Environment, pool: Pool
) -> None:
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "BELLWIRE_LISTEN": "127.0.0.1:0",
        "BELLWIRE_SHUTDOWN_GRACE_S": "3",
    }
    body = {"subscriber_id": "ada", "category": "news"}
    async with (
        Process.open("api", environ) as api,
        httpx.AsyncClient(
            base_url=api.url, headers=environment.management_headers, timeout=30, trust_env=False
        ) as backend,
        pool.acquire() as connection,
    ):
        assert (await backend.post("/v1/notifications", json=body)).status_code == 201
        assert (await backend.get("/readyz")).status_code == 200
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT FROM inboxes FOR UPDATE")
        waiting = asyncio.create_task(backend.post("/v1/notifications", json=body))
        await eventually(lambda: _waits_for_a_lock(pool))

        stopped = asyncio.create_task(api.stop())
        refused = await eventually(
            lambda: backend.get("/readyz"), lambda answer: answer.status_code == 503, within_s=2.9
        )
        assert_refused(refused, 503, "unavailable", "shutting down")
        # The grace: requests that balancers still send are served.
        assert (await backend.put("/v1/subscribers/bob")).status_code == 200
        await eventually(lambda: _is_closed(api), within_s=10)
        assert not waiting.done()
        await transaction.rollback()
        assert (await waiting).status_code == 201
        assert await stopped == 0


async def test_a_request_that_never_ends_does_not_hold_up_the_exit(
    database_url: str, redis_url: str, environment: Environment
) -> None:
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "BELLWIRE_LISTEN": "127.0.0.1:0",
        "BELLWIRE_DRAIN_S": "1",
    }
    async with Process.open("api", environ) as api:
        host, port = (api.address or "").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        key = environment.api_key
        writer.write(
            f"POST /v1/notifications HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Content-Length: 100\r\n\r\n{".encode()
        )
        await writer.drain()
        await asyncio.sleep(0.2)
        async with asyncio.timeout(8):
            assert await api.stop() == 0
        assert b" 503 " in await reader.readline()
        writer.close()


async def _waits_for_a_lock(pool: Pool) -> bool:
    return await pool.fetchval("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')")


async def _is_closed(api: Process) -> bool:
    host, port = (api.address or "").split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return True
    writer.close()
    return False
