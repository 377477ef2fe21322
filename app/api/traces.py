"""Spans of requests, to a collector that speaks OTLP over HTTP.

Loaded only where a collector is named: what this imports comes with the extra `traces`. A span says the
route, never the address: a path names people, a query may hold proofs.
"""

import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from importlib import metadata
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

LAST_S: Final = 2.0  # for which an ending process waits until the collector has the last spans


class Traces:
    """One span for each request, a child of its caller's where the caller names one."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    @classmethod
    @contextmanager
    def open(cls, endpoint: str) -> Generator["Traces"]:
        """endpoint: the collector's base URL. Spans are batched, and sent by a thread of their own.

        The other variables of OpenTelemetry's exporters and samplers are read by its own library, which
        raises ValueError for some that it does not understand.
        """
        version = metadata.version("bellwire")
        own = Resource.create({SERVICE_NAME: "bellwire", SERVICE_VERSION: version})
        resource = own.merge(OTELResourceDetector().detect())  # what the variables say wins
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        try:
            yield cls(provider.get_tracer("bellwire.api", version))
        finally:
            end = threading.Thread(
                target=provider.shutdown, daemon=True
            )  # by itself it may take half a minute
            end.start()
            end.join(LAST_S)

    def add(
        self,
        headers: Iterable[tuple[bytes, bytes]],
        *,
        method: str,
        route: str | None,
        status: int,
        seconds: float,
    ) -> None:
        """A request that has just ended. route: None where there is none for its path. status: 0 where the
        client went before it had an answer.
        """
        ended = time.time_ns()
        # W3C Trace Context, but for the caller's tracestate: kilobytes that nobody here asks for.
        parents = [value.decode("latin-1") for name, value in headers if name == b"traceparent"]
        span = self._tracer.start_span(
            method if route is None else f"{method} {route}",
            context=self._propagator.extract({"traceparent": parents[0]} if len(parents) == 1 else {}),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method},
            start_time=ended - int(seconds * 1e9),
        )
        if route is not None:
            span.set_attribute("http.route", route)
        if status:
            span.set_attribute("http.response.status_code", status)
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end(ended)
