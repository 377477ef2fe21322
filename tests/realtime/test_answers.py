"""The gateway's port, spoken to over plain HTTP."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec

from app.db.pool import Connection
from app.settings import Settings
from tests.harness import eventually
from tests.realtime.clients import GatewayUnderTest

UPGRADE = "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n"


async def test_health_and_readiness(gateway: GatewayUnderTest) -> None:
    status, headers, body = await gateway.http("GET /healthz HTTP/1.1\nHost: x")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert msgspec.json.decode(body)["status"] == "ok"
    assert await ready(gateway) == (200, {"status": "ready"})


async def test_a_client_that_sends_no_more_is_answered(gateway: GatewayUnderTest) -> None:
    reader, writer = await asyncio.open_connection(gateway.address.host, gateway.address.port)
    writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
    writer.write_eof()
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_a_draining_gateway_is_not_ready_and_takes_no_sockets(gateway: GatewayUnderTest) -> None:
    assert gateway.gateway is not None
    gateway.gateway.is_draining = True
    status, body = await ready(gateway)
    assert (status, body["error"]["code"]) == (503, "unavailable")
    status, headers, _ = await gateway.http(
        f"GET /v1/inbox/ws HTTP/1.1\nHost: x\n{UPGRADE}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    )
    assert (status, headers["retry-after"]) == (503, "1")


async def test_metrics_name_what_the_gateway_measures(gateway: GatewayUnderTest) -> None:
    async with gateway.client("ann"):
        _, headers, body = await gateway.http("GET /metrics HTTP/1.1\nHost: x")
    assert headers["content-type"].startswith("text/plain")
    for name in (
        "bellwire_connections 1.0",
        "bellwire_hint_latency_seconds_bucket",
        "bellwire_slow_consumers_total",
        "bellwire_redis_up 1.0",
    ):
        assert name in body.decode()


REFUSALS = [
    ("GET /v1/inbox/ws HTTP/1.1", 426, "upgrade_required"),
    ("GET /v1/inbox/ws?environment=a HTTP/1.0", 426, "upgrade_required"),
    ("POST /v1/inbox/ws HTTP/1.1", 405, "method_not_allowed"),
    ("DELETE /healthz HTTP/1.1", 405, "method_not_allowed"),
    ("OPTIONS /readyz HTTP/1.1", 405, "method_not_allowed"),
    ("GET / HTTP/1.1", 404, "not_found"),
    ("GET /healthz/ HTTP/1.1", 404, "not_found"),
    ("POST /v1/notifications HTTP/1.1", 404, "not_found"),
    ("GET /v1/inbox/items HTTP/1.1", 404, "not_found"),
    ("GET /%zz HTTP/1.1", 400, "invalid_request"),
    ("GET /%ff HTTP/1.1", 400, "invalid_request"),
    ("GET /%00 HTTP/1.1", 400, "invalid_request"),
    ("POST /healthz HTTP/1.1\nContent-Length: 5", 405, "method_not_allowed"),
    ("POST /v1/inbox/ws HTTP/1.1\nContent-Length: 5", 405, "method_not_allowed"),
    ("POST /v1/notifications HTTP/1.1\nContent-Length: 5", 404, "not_found"),
    ("GET /healthz HTTP/1.1\nContent-Length: 5", 400, "invalid_request"),
    ("GET /v1/inbox/ws HTTP/1.1\nTransfer-Encoding: chunked", 400, "invalid_request"),
    ("GET / HTTP/1.1\nTransfer-Encoding: chunked", 404, "not_found"),
    ("GET /healthz?x=%zz HTTP/1.1", 400, "invalid_request"),
    ("GET /metrics?%ff=1 HTTP/1.1", 400, "invalid_request"),
    ("GET /?x=%zz HTTP/1.1", 404, "not_found"),
    ("POST /readyz?x=%zz HTTP/1.1", 405, "method_not_allowed"),
    ("nonsense", 400, "invalid_request"),
    ("GET / HTTP/1.1\nX : y", 400, "invalid_request"),
    (f"GET /{'x' * 9000} HTTP/1.1", 404, "not_found"),
    (f"GET / HTTP/1.1\nX: {'x' * 17_000}", 400, "invalid_request"),
    (f"GET /v1/inbox/ws HTTP/1.1\n{UPGRADE}Host: x", 400, "invalid_request"),
    (f"GET /v1/inbox/ws HTTP/1.1\n{UPGRADE}Sec-WebSocket-Key: short", 400, "invalid_request"),
]


async def test_every_refusal_is_the_error_envelope(gateway: GatewayUnderTest) -> None:
    for head, status, code in REFUSALS:
        answered, headers, body = await gateway.http(head)
        assert (answered, headers["content-type"]) == (status, "application/json"), head[:80]
        error = msgspec.json.decode(body)["error"]
        assert (error["code"], sorted(error)) == (code, ["code", "message"]), head[:80]
        assert ("allow" in headers) == (status == 405)
        assert ("upgrade" in headers) == (status == 426)


async def test_head_answers_what_get_would_without_the_body(gateway: GatewayUnderTest) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/nowhere", "/v1/inbox/ws"):
        get = await gateway.http(f"GET {path} HTTP/1.1\nHost: x")
        head = await gateway.http(f"HEAD {path} HTTP/1.1\nHost: x")
        assert head[0] == get[0], path
        assert head[1].keys() == get[1].keys(), path
        assert head[2] == b"", path


async def test_a_database_that_takes_no_writes_is_not_ready(
    gateway: GatewayUnderTest, connection: Connection, settings: Settings
) -> None:
    """New subscribers could not come in."""
    name = urlsplit(settings.database_url).path.removeprefix("/")
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    status, answer = await ready(gateway)
    assert (status, answer["error"]["code"]) == (503, "unavailable")
    await connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await eventually(lambda: ready(gateway), lambda found: found[0] == 200)


async def ready(gateway: GatewayUnderTest) -> tuple[int, dict[str, Any]]:
    status, _, body = await gateway.http("GET /readyz HTTP/1.1\nHost: x")
    return status, msgspec.json.decode(body)
