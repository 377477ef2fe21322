"""The gateway: one listener, its connections, and the way they end."""

import asyncio
import random
import socket
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, Final

import structlog

from app.contract.credentials import Credentials
from app.contract.errors import BellwireError, Unavailable
from app.settings import Address, Settings
from realtime import answers
from realtime.answers import Answer, Operations
from realtime.connection import CLOSE_TIMEOUT_S, Connection
from realtime.handshake import Plain
from realtime.plane import Plane
from realtime.protocol import MAX_RECONNECT_AFTER_MS
from realtime.readiness import Readiness
from realtime.session import Authenticate, Renew

BACKLOG: Final = 4096  # with asyncio's hundred, a storm of connects takes seconds
# What the kernel holds for a client that does not read; it doubles the figure. With the default the
# write buffer would notice a slow consumer only after megabytes.
SEND_BUFFER_BYTES: Final = 16 * 1024
# Connections past the limit that may still ask for health and metrics, or be told 503.
_SPARE: Final = 512
_WAVE_S: Final = 0.1
_CLOSES_PER_S: Final = 40  # few sockets need no spreading
_RECONNECTS_PER_S: Final = 1000
# Between two tries to check a refresh while PostgreSQL is away.
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 4.0

log = structlog.stdlib.get_logger()


class Gateway:
    """A Host to its connections."""

    def __init__(self, settings: Settings, plane: Plane[bytes], readiness: Readiness) -> None:
        self._settings = settings
        self._plane = plane
        self._readiness = readiness
        self._operations = Operations(self._unready)
        self._origins = frozenset(settings.allowed_origins)
        self._connections: set[Connection] = set()
        # Refreshes that wait for PostgreSQL: the last of each connection.
        self._waiting: dict[Connection, asyncio.Task[None]] = {}
        self._all_lost = asyncio.Event()
        # Not ready, and no further sockets.
        self.is_draining = False

    # From connections.

    def arrived(self, connection: Connection) -> None:
        self._connections.add(connection)
        if len(self._connections) > self._settings.max_connections + _SPARE:
            connection.abort()

    def refusal(self) -> Answer | None:
        if self.is_draining:
            return answers.unavailable("this gateway is draining; reconnect to another")
        if len(self._connections) > self._settings.max_connections:
            return answers.unavailable("this gateway is full")
        return None

    def allows(self, origin: str | None) -> bool:
        return origin is None or "*" in self._origins or origin in self._origins

    def answer(self, connection: Connection, request: Plain) -> None:
        self._plane.tasks.create_task(self._answer(connection, request))

    def authenticate(self, connection: Connection, action: Authenticate) -> None:
        self._plane.tasks.create_task(self._guard(connection, self._admit(connection, action.credentials)))

    def renew(self, connection: Connection, action: Renew) -> None:
        self._stop_waiting(connection)
        self._plane.tasks.create_task(self._guard(connection, self._renew(connection, action.token)))

    def went_live(self, connection: Connection) -> None:
        self._plane.enter(connection)

    def was_renewed(self, connection: Connection) -> None:
        self._plane.renewed(connection)

    def left(self, connection: Connection) -> None:
        self._stop_waiting(connection)
        self._plane.leave(connection)

    def lost(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_lost.set()

    # From main.

    @property
    def connection_count(self) -> int:
        """Sockets, those not yet authenticated and those closing included."""
        return len(self._connections)

    async def drain(self) -> None:
        """Says goodbye to everyone, in waves spread over the drain time, and waits until they are gone."""
        self.is_draining = True
        sockets = [connection for connection in self._connections if connection.is_socket]
        random.shuffle(sockets)
        window_ms = max(1_000, min(MAX_RECONNECT_AFTER_MS, 1000 * len(sockets) // _RECONNECTS_PER_S))
        span_s = min(self._settings.drain_s, len(sockets) / _CLOSES_PER_S)
        waves = max(1, round(span_s / _WAVE_S))
        for wave in range(waves):
            for connection in sockets[wave::waves]:
                connection.expel("draining", random.randrange(window_ms))  # noqa: S311 - jitter
            if wave < waves - 1:
                await asyncio.sleep(span_s / waves)
        for connection in list(self._connections):
            if connection.is_undecided:
                connection.abort()
        await self._wait_until_lost()

    async def _wait_until_lost(self) -> None:
        self._all_lost.clear()
        if not self._connections:
            return
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._all_lost.wait()
        except TimeoutError:
            for connection in list(self._connections):
                connection.abort()

    # Inside.

    async def _unready(self) -> str | None:
        return "this gateway is draining" if self.is_draining else await self._readiness.unready()

    async def _answer(self, connection: Connection, request: Plain) -> None:
        try:
            answer = await self._operations.answer(request.method, request.path, request.fault)
        except Exception:
            log.exception("a request could not be answered")
            answer = answers.error(HTTPStatus.INTERNAL_SERVER_ERROR, "internal")
        connection.reply(answer, with_body=request.method != "HEAD")

    async def _admit(self, connection: Connection, credentials: Credentials) -> None:
        identity = await self._plane.admission.identify(credentials)
        if connection.is_socket:
            connection.session.proved(identity)
            self._plane.admission.open(connection, identity)

    async def _renew(self, connection: Connection, token: str) -> None:
        """While PostgreSQL is away it is tried again: until the old proof ends, the socket stays open."""
        pause_s = _FIRST_PAUSE_S
        while connection.is_socket:
            try:
                identity = await self._plane.authenticator.subscriber(Credentials(token=token))
            except Unavailable:
                await self._wait(connection, random.uniform(pause_s / 2, pause_s))  # noqa: S311 - jitter
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            if connection.is_socket:
                connection.renewed(identity)
            return

    async def _wait(self, connection: Connection, seconds: float) -> None:
        """Cancelled where the connection closes, or sends another refresh."""
        self._stop_waiting(connection)
        task = asyncio.current_task()
        if connection.is_socket and task is not None:
            self._waiting[connection] = task
            await asyncio.sleep(seconds)
            del self._waiting[connection]

    def _stop_waiting(self, connection: Connection) -> None:
        waiting = self._waiting.pop(connection, None)
        if waiting is not None:
            waiting.cancel()

    async def _guard(self, connection: Connection, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except BellwireError as error:
            connection.refuse(error)
        except Exception:
            log.exception("a client could not be authenticated")
            connection.refuse(None)


def listen(address: Address, *, reuse_port: bool) -> socket.socket:
    """A listening socket whose connections inherit a small send buffer.

    Raises OSError.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        listener.bind((address.host, address.port))
        listener.listen(BACKLOG)
        listener.settimeout(0)
    except OSError:
        listener.close()
        raise
    return listener
