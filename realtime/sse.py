"""Streams of server-sent events, for clients that cannot use sockets. Bytes only: the route is the API's.

A stream holds at most one of each kind of event, the latest, so that a client that does not read costs
nothing: hints say only that something changed, and of counts only the last matter.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Literal, TypeAlias

import msgspec

from app import telemetry
from app.contract.errors import BellwireError, Unavailable
from app.contract.hints import Reason
from app.db.pool import Pool
from app.services.auth import Identity
from app.settings import Settings
from realtime.hub import Audience
from realtime.plane import Plane, open_plane
from realtime.protocol import GoodbyeReason

HINT_INTERVAL_S: Final = 1.0
_RETRY_SPREAD_MS: Final = 5_000
_HINTS_SENT: Final = telemetry.frames_sent.of("hint")
_COUNTS_SENT: Final = telemetry.frames_sent.of("counts")
_COMMENT: Final = b": ping\n\n"


class Hinted(msgspec.Struct, frozen=True):
    reason: Reason


class Counted(msgspec.Struct, frozen=True):
    unread: int
    unseen: int
    version: int


Told: TypeAlias = Hinted | Counted


class StreamDialect:
    """Hints and counts as what streams make events of."""

    def hint(self, reason: Reason, payload: bytes) -> Told:
        del payload
        return Hinted(reason)

    def counts(self, unread: int, unseen: int, version: int) -> Told:
        return Counted(unread, unseen, version)

    def deliver(self, tellers: Sequence[Callable[[Told], object]], told: Told) -> None:
        for tell in tellers:
            tell(told)


class Stream:
    """One client. Its events are pulled from events(); everything else is pushed by the plane."""

    def __init__(self, plane: Plane[Told], identity: Identity) -> None:
        self.identity = identity
        self.audience: Audience[Told] | None = None
        self.wheel_slot = -1
        # Done when the inbox is open, or cannot be opened.
        self.opening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._plane = plane
        self._tell = self._push
        self._wake = asyncio.Event()
        self._is_over = False
        # What is to be sent: the latest of each.
        self._hint: Reason | Literal["resume"] | None = None
        self._counts: Counted | None = None
        self._retry_ms: int | None = None
        self._ping = False
        # The version of the last counts sent, and the inbox: what a client that comes back has seen.
        self._token = b""
        # Hints before this moment (of the loop's clock) wait for it.
        self._next_hint_at = 0.0

    @property
    def tell(self) -> Callable[[Told], object]:
        return self._tell

    def opened(self, audience: Audience[Told]) -> None:
        self.audience = audience
        if self._is_over or self.opening.done():  # erased, or gone, before it was open
            self.end()
            self.refuse(None)
            return
        self._counts = Counted(audience.unread, audience.unseen, audience.version)
        audience.go_live(self)
        self._plane.enter(self)
        self.opening.set_result(None)

    def refuse(self, error: BellwireError | None) -> None:
        if not self.opening.done():
            self.opening.set_exception(error or Unavailable("the inbox could not be opened"))

    def expel(self, reason: GoodbyeReason) -> None:
        """A client told to go while draining comes back; others ask again and get their 401."""
        if reason == "draining":
            self._retry_ms = random.randrange(_RETRY_SPREAD_MS)  # noqa: S311 - jitter
        self.end()

    def make_room(self) -> None:
        if self._ping:
            self.end()

    def ping(self) -> None:
        """A ping that the last one still waits for means that nobody reads."""
        if self._ping:
            self.end()
            return
        self._ping = True
        self._wake.set()

    def end(self) -> None:
        """Leaves the plane; what is to be sent still is."""
        self._is_over = True
        self._plane.leave(self)
        self._wake.set()

    def resume_from(self, last_event_id: str) -> None:
        """The client has seen this much: one hint says whether anything came after it."""
        if last_event_id.encode("utf-8", "surrogateescape") != self._make_token():
            self._hint = "resume"

    async def events(self) -> AsyncGenerator[bytes]:
        """Chunks of the stream, until it ends. Closing the generator leaves the plane."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                chunk = self._take(loop.time())
                if chunk:
                    yield chunk
                elif self._is_over:
                    return
                else:
                    await self._wait(loop.time())
        finally:
            self.end()

    def _push(self, told: Told) -> None:
        if isinstance(told, Hinted):
            self._hint = told.reason
        else:
            self._counts = told
        self._wake.set()

    async def _wait(self, now: float) -> None:
        """Until there may be something to take: something was pushed, or a hint has waited long enough."""
        self._wake.clear()
        delay = None if self._hint is None else self._next_hint_at - now
        try:
            async with asyncio.timeout(delay):
                await self._wake.wait()
        except TimeoutError:
            return

    def _take(self, now: float) -> bytes:
        """Everything that may be sent now, as one chunk."""
        chunk = b""
        if self._counts is not None:
            counts, self._counts = self._counts, None
            self._token = self._make_token(counts.version)
            chunk += b"event: counts\nid: %b\ndata: %b\n\n" % (self._token, msgspec.json.encode(counts))
            _COUNTS_SENT.value += 1
        if self._hint is not None and now >= self._next_hint_at:
            reason, self._hint = self._hint, None
            self._next_hint_at = now + HINT_INTERVAL_S
            chunk += b'event: hint\nid: %b\ndata: {"reason":"%b"}\n\n' % (self._token, reason.encode())
            _HINTS_SENT.value += 1
        if self._ping:
            self._ping = False
            chunk += _COMMENT
        if self._retry_ms is not None:
            chunk += b"event: retry\nretry: %d\ndata: %d\n\n" % (self._retry_ms, self._retry_ms)
            self._retry_ms = None
        return chunk

    def _make_token(self, version: int | None = None) -> bytes:
        """Names a state of one inbox. version None: the newest known."""
        if self.audience is None:
            return self._token
        known = self.audience.version if version is None else version
        return f"{self.audience.inbox_id.hex}.{known}".encode()


class Streams:
    """The streams of one process."""

    def __init__(self, plane: Plane[Told]) -> None:
        self._plane = plane
        self.active: set[Stream] = set()
        self._is_draining = False

    async def open(self, identity: Identity, last_event_id: str | None) -> AsyncGenerator[bytes]:
        """The chunks of a new stream, which begins with the counts.

        Raises TooManyConnections, Unavailable: before the first chunk, so that they can be an HTTP status.
        """
        if self._is_draining:
            raise Unavailable("this server is draining; try again")
        stream = Stream(self._plane, identity)
        self._plane.admission.open(stream, identity)
        await stream.opening
        if last_event_id:
            stream.resume_from(last_event_id)
        return self._events(stream)

    def drain(self) -> None:
        """Tells everyone when to come back, and ends the streams; no further ones are opened."""
        self._is_draining = True
        for stream in list(self.active):
            stream.expel("draining")

    async def _events(self, stream: Stream) -> AsyncGenerator[bytes]:
        self.active.add(stream)
        try:
            async for chunk in stream.events():
                yield chunk
        finally:
            self.active.discard(stream)
            stream.end()


@asynccontextmanager
async def open_streams(pool: Pool, settings: Settings) -> AsyncGenerator[Streams]:
    """Streams for as long as the block runs."""
    async with open_plane(
        pool,
        settings.redis_url,
        cap=settings.max_connections_per_subscriber,
        dialect=StreamDialect(),
    ) as plane:
        streams = Streams(plane)
        try:
            yield streams
        finally:
            streams.drain()
