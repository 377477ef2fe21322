"""What stands in front of Litestar: one layer that makes every answer, on every path, the contract's.

Paths are routed as they were sent, HEAD is a GET whose body the server drops, OPTIONS is a preflight or
a wrong method, the subscriber plane has its CORS headers, the admin plane is closed to forged requests, and
whatever goes wrong has the envelope.

Litestar finds the handler. One that asks for a proof is called from here, with the request and nothing else;
the rest is Litestar's.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterable
from typing import Final, cast

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import Histogram

from app import telemetry
from app.api import auth, cors, errors, paths
from app.api.admin import guard
from app.api.cors import Cors
from app.api.query import Query
from app.api.request import SERVICES, Request
from app.api.services import Services
from app.contract.errors import Unavailable

# Litestar answers OPTIONS by itself. Under this name, which no route has a handler for, it does not.
_ROUTED_AS: Final = {"HEAD": "GET", "OPTIONS": "options"}
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SENT_METHOD: Final = "sent_method"  # key of an inner scope


def sent_method(scope: Scope) -> str:
    """The method as the client sent it: HEAD is routed as GET."""
    return cast("dict[str, str]", scope)[_SENT_METHOD]


class Edge:
    """An ASGI application around another; http only, as the server is told."""

    def __init__(self, app: Litestar, cors: Cors, services: Services) -> None:
        self._app = app
        self._cors = cors
        self._services = services
        self._traces = services.traces
        self._durations: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = cast("HTTPScope", scope)
        started = time.perf_counter()
        method = scope["method"]
        raw_path = scope["raw_path"]
        path = raw_path.decode("latin-1")  # until it is known to be better than that
        # The server drops the body of what it knows as HEAD: it keeps a scope of its own.
        inner = cast("HTTPScope", {**scope, "method": _ROUTED_AS[method]}) if method in _ROUTED_AS else scope
        cast("dict[str, object]", inner).update({_SENT_METHOD: method, SERVICES: self._services})
        is_admin = guard.covers(raw_path)
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if cors.covers(path):
                    message["headers"] = [*message["headers"], *self._cors.headers(scope)]
                elif is_admin:
                    message["headers"] = [*message["headers"], *guard.ANSWERS]
            await send(message)

        try:
            if is_admin:
                guard.refuse_forgeries(scope)
            inner["path"] = path = paths.canonical(raw_path)
            preflight = self._cors.preflight(scope) if cors.covers(path) else None
            await (preflight or self._answer)(inner, receive, send_on)
        except asyncio.CancelledError:  # the server's patience with what is under way has ended
            if not status:
                await errors.envelope(Unavailable("shutting down"))(scope, receive, send_on)
        except Exception as error:  # noqa: BLE001 - the last place that can still give an answer
            reply = errors.envelope(errors.understand(error))
            if not status:
                await reply(scope, receive, send_on)
        finally:
            self._observe(
                inner.get("path_template"),
                method if method in _METHODS else "other",
                status,
                time.perf_counter() - started,
                scope["headers"],
            )

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = cast("HTTPScope", scope)
        _, route, _, scope["path_params"], scope["path_template"] = self._app.asgi_router.handle_routing(
            path=scope["path"], method=scope["method"]
        )
        handler = scope["route_handler"] = cast("HTTPRouteHandler", route)
        prove = handler.before_request
        if prove is None:
            Query(scope["query_string"]).check()
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            await cast("Awaitable[None]", prove(request))
            reply: ASGIApp = await handler.fn(request)
            await reply(scope, receive, send)
        except Exception:
            await auth.create_subscriber(request)
            raise

    def _observe(
        self,
        route: str | None,
        method: str,
        status: int,
        seconds: float,
        headers: Iterable[tuple[bytes, bytes]],
    ) -> None:
        labels = (route or "unrouted", method, status)
        duration = self._durations.get(labels)
        if duration is None:
            duration = self._durations[labels] = telemetry.http_request_duration.labels(*labels)
        duration.observe(seconds)
        if self._traces is not None:
            self._traces.add(headers, method=method, route=route, status=status, seconds=seconds)
