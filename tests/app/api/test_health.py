"""Alive, ready, and counted."""

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from app.api.services import Services
from app.db.pool import Connection, Pool
from app.settings import Settings
from tests.app.api.wire import assert_refused
from tests.factories import Environment


async def test_a_process_is_alive_and_ready(client: httpx.AsyncClient) -> None:
    alive = await client.get("/healthz")
    assert alive.status_code == 200
    assert alive.json()["status"] == "ok"
    assert set(alive.json()) == {"status", "version"}
    ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready"}


async def test_pending_migrations_are_not_ready(client: httpx.AsyncClient, pool: Pool) -> None:
    await pool.execute("DELETE FROM schema_migrations WHERE name = 'functions'")
    assert_refused(await client.get("/readyz"), 503, "unavailable", "migrat")
    assert (await client.get("/healthz")).status_code == 200


async def test_without_its_schema_requests_are_told_to_come_again(
    client: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    """As an API that comes up before its migrations; the log is not filled with tracebacks."""
    await pool.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    management, subscriber = environment.management_headers, environment.subscriber_headers("ada")
    admin = {"X-Bellwire-Admin": "1"}
    body = {"email": "ada@example.com", "password": "correct horse battery"}
    with capture_logs() as logs:
        for answer in (
            await client.get("/readyz"),
            await client.post("/v1/notifications", headers=management, json={}),
            await client.get("/v1/inbox/items", headers=subscriber),
            await client.post("/admin/api/login", headers=admin, json=body),
        ):
            assert_refused(answer, 503, "unavailable", "migrations are pending")
            assert int(answer.headers["retry-after"]) >= 1
    assert not [entry for entry in logs if entry["log_level"] == "error"]


@pytest.mark.parametrize(
    "lost",
    [
        "ALTER TABLE api_keys RENAME COLUMN revoked_at TO elsewhere",
        "DROP FUNCTION position_at CASCADE",
        "DROP TABLE subscribers CASCADE",
    ],
)
async def test_an_older_schema_is_told_too(
    client: httpx.AsyncClient, environment: Environment, pool: Pool, lost: str
) -> None:
    await pool.execute(lost)
    body = {"subscriber_id": "ada", "category": "c"}
    answer = await client.post("/v1/notifications", headers=environment.management_headers, json=body)
    assert_refused(answer, 503, "unavailable", "migrations are pending")


async def test_a_database_that_takes_no_writes_is_not_ready(
    client: httpx.AsyncClient, connection: Connection, settings: Settings
) -> None:
    """As a failover leaves one. Ready again when it takes them, whatever the pool's connections remember."""
    name = urlsplit(settings.database_url).path.removeprefix("/")
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert_refused(await client.get("/readyz"), 503, "unavailable", "database")
    assert (await client.get("/healthz")).status_code == 200
    await connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert (await client.get("/readyz")).status_code == 200


async def test_draining_is_not_ready(client: httpx.AsyncClient, services: Services) -> None:
    services.readiness.drain()
    answer = await client.get("/readyz")
    assert_refused(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await client.get("/healthz")).status_code == 200


class TestWithoutADatabase:
    @pytest.fixture
    def settings(self, settings: Settings, unused_tcp_port_factory: Callable[[], int]) -> Settings:
        nowhere = f"postgresql://postgres@127.0.0.1:{unused_tcp_port_factory()}/nowhere"
        return msgspec.structs.replace(settings, database_url=nowhere)

    async def test_requests_are_told_to_come_again(
        self, client: httpx.AsyncClient, environment: Environment
    ) -> None:
        management, subscriber = environment.management_headers, environment.subscriber_headers("ada")
        for answer in (
            await client.get("/readyz"),
            await client.post("/v1/notifications", headers=management, json={}),
            await client.put("/v1/subscribers/ada", headers=management),
            await client.get("/v1/inbox/items", headers=subscriber),
            await client.post("/v1/inbox/read-all", headers=subscriber),
        ):
            assert_refused(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) >= 1
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/metrics")).status_code == 200
        assert_refused(await client.get("/nope"), 404, "not_found")


class TestWithoutRedis:
    @pytest.fixture
    def settings(self, settings: Settings, unused_tcp_port_factory: Callable[[], int]) -> Settings:
        return msgspec.structs.replace(settings, redis_url=f"redis://127.0.0.1:{unused_tcp_port_factory()}")

    async def test_everything_works(
        self, client: httpx.AsyncClient, backend: httpx.AsyncClient, ada: httpx.AsyncClient, pool: Pool
    ) -> None:
        body = {"subscriber_id": "ada", "category": "news"}
        for _ in range(3):
            assert (await backend.post("/v1/notifications", json=body)).status_code == 201
        assert (await client.get("/readyz")).status_code == 200
        assert (await ada.post("/v1/inbox/read-all")).json()["unread"] == 0
        assert await pool.fetchval("SELECT count(*) FROM outbox") == 4  # still owed


async def test_requests_are_counted_by_route_and_not_by_path(
    client: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await ada.get("/v1/inbox/items")
    await ada.post("/v1/inbox/notifications/notif_00000000000000000000000000/read")
    await client.get("/a-path-nobody-knows")
    await client.request("PROPFIND", "/healthz")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    counted = {
        (sample.labels["route"], sample.labels["method"], sample.labels["status"])
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "bellwire_http_request_duration_seconds_count"
    }
    assert counted >= {
        ("/v1/inbox/items", "GET", "200"),
        ("/v1/inbox/notifications/{id}/read", "POST", "404"),
        ("unrouted", "GET", "404"),
        ("unrouted", "other", "405"),
    }
    assert not [route for route, _, _ in counted if "nobody" in route]


async def test_what_is_created_is_counted_once_and_by_recipient(
    client: httpx.AsyncClient, backend: httpx.AsyncClient
) -> None:
    async def created() -> float:
        text = (await client.get("/metrics")).text
        lines = [
            line for line in text.splitlines() if line.startswith("bellwire_notifications_created_total{")
        ]
        return sum(float(line.split()[-1]) for line in lines if 'environment="acme"' in line)

    before = await created()
    body = {"subscriber_ids": ["ada", "bob"], "category": "news", "idempotency_key": "k"}
    for status in (201, 200):
        assert (await backend.post("/v1/notifications", json=body)).status_code == status
    assert await created() == before + 2


async def test_the_pool_is_measured(client: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await ada.get("/v1/inbox/counts")
    assert 'bellwire_pool_connections{pool="api"} 1.0' in (await client.get("/metrics")).text
