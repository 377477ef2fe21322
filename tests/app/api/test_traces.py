"""Spans of requests, as a collector receives them."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from app.api import main, server
from app.settings import Settings
from tests.factories import Environment

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{CALLER}-01"


class Collector:
    """What came in at /v1/traces."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.bodies: list[bytes] = []

    @classmethod
    @contextmanager
    def open(cls) -> Generator["Collector"]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
            collector = cls(listening.server_port)
            thread = threading.Thread(target=listening.serve_forever)
            thread.start()
            try:
                yield collector
            finally:
                listening.shutdown()
                thread.join()

    @property
    def resources(self) -> list[dict[str, str]]:
        return [
            {attribute.key: attribute.value.string_value for attribute in sent.resource.attributes}
            for body in self.bodies
            for sent in ExportTraceServiceRequest.FromString(body).resource_spans
        ]

    @property
    def spans(self) -> dict[str, Any]:
        """By name."""
        return {
            span.name: span
            for body in self.bodies
            for sent in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in sent.scope_spans
            for span in scope.spans
        }


async def ask(settings: Settings, *requests: httpx.Request) -> float:
    """Answers those, and ends; returns how many seconds the end took."""
    async with main.wire(settings) as services:
        listener = server.listen(settings.listen)
        async with (
            server.serve(main.create_app(services), listener, patience_s=1) as address,
            httpx.AsyncClient(timeout=30, trust_env=False) as client,
        ):
            for request in requests:
                request.url = httpx.URL(f"http://{address}").join(request.url.raw_path.decode())
                await client.send(request)
        begun = time.monotonic()
    return time.monotonic() - begun


def warning(logs: list[EventDict]) -> str:
    """The one there is."""
    [warned] = [line["event"] for line in logs if line["log_level"] == "warning"]
    return warned


async def test_a_request_is_a_span_in_its_caller_s_trace(
    settings: Settings, environment: Environment
) -> None:
    query = {**environment.subscriber_query("ann"), "limit": "1"}
    with Collector.open() as collector:
        await ask(
            msgspec.structs.replace(settings, otlp_endpoint=collector.url),
            httpx.Request(
                "GET",
                "http://x/v1/inbox/items",
                params=query,
                headers={"traceparent": PARENT},
            ),
            httpx.Request("POST", "http://x/v1/notifications", headers={"authorization": "Bearer nobody"}),
            httpx.Request("GET", "http://x/no/such/ann"),
        )
    [resource] = collector.resources
    assert resource["service.name"] == "bellwire"
    read = collector.spans["GET /v1/inbox/items"]
    assert (read.trace_id.hex(), read.parent_span_id.hex()) == (TRACE, CALLER)
    assert 0 < read.end_time_unix_nano - read.start_time_unix_nano < 10e9
    assert abs(read.end_time_unix_nano / 1e9 - time.time()) < 60
    told = {attribute.key: attribute.value for attribute in read.attributes}
    assert told["http.response.status_code"].int_value == 200
    assert told["http.route"].string_value == "/v1/inbox/items"
    refused = collector.spans["POST /v1/notifications"]
    assert refused.parent_span_id == b""
    assert [attribute.key for attribute in collector.spans["GET"].attributes] == [
        "http.request.method",
        "http.response.status_code",
    ]
    sent = b"".join(collector.bodies)
    for secret in (query["subscriber_hash"], "ann", "nobody"):
        assert secret.encode() not in sent


async def test_a_caller_whose_trace_is_not_kept_is_not_kept_here(
    settings: Settings, environment: Environment
) -> None:
    with Collector.open() as collector:
        await ask(
            msgspec.structs.replace(settings, otlp_endpoint=collector.url),
            httpx.Request("GET", "http://x/healthz", headers={"traceparent": f"00-{TRACE}-{CALLER}-00"}),
            httpx.Request("GET", "http://x/readyz", headers={"traceparent": "not one"}),
            httpx.Request("GET", "http://x/docs", headers=[kept := ("traceparent", PARENT), kept]),
        )
    assert set(collector.spans) == {"GET /readyz", "GET /docs"}
    assert all(span.parent_span_id == b"" for span in collector.spans.values())


async def test_the_variables_of_opentelemetry_hold(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=bells,deployment.environment=staging")
    with Collector.open() as collector:
        settings = msgspec.structs.replace(settings, otlp_endpoint=collector.url)
        await ask(settings, httpx.Request("GET", "http://x/healthz"))
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1")  # less than it sends at once, which it refuses
        with capture_logs() as logs:
            await ask(settings, httpx.Request("GET", "http://x/docs"))
    [resource] = collector.resources
    assert (resource["service.name"], resource["deployment.environment"]) == ("bells", "staging")
    assert "a variable of OpenTelemetry's is wrong" in warning(logs)


async def test_a_collector_that_is_away_holds_nobody_up(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = msgspec.structs.replace(
            settings, otlp_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}"
        )
        assert await ask(settings, httpx.Request("GET", "http://x/healthz")) < 8
    assert await ask(settings, httpx.Request("GET", "http://x/healthz")) < 8


async def test_without_its_packages_there_is_a_line_in_the_log_and_no_span(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "app.api.traces", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with Collector.open() as collector, capture_logs() as logs:
        await ask(
            msgspec.structs.replace(settings, otlp_endpoint=collector.url),
            httpx.Request("GET", "http://x/healthz"),
        )
    assert "install bellwire[traces]" in warning(logs)
    assert collector.bodies == []


def test_without_a_collector_nothing_of_it_is_loaded() -> None:
    look = (
        "import sys, app.cli, app.api.main, realtime.main; sys.exit('opentelemetry.exporter' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0  # noqa: S603 - ours
