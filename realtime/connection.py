"""One client's socket: bytes in, bytes out, and a bound on both."""

import asyncio
import os
import random
import time
from collections.abc import Callable
from typing import Final, Protocol, cast

from app import telemetry
from app.contract.errors import BellwireError, InvalidRequest
from app.services.auth import Identity
from realtime import close_codes, protocol
from realtime.answers import Answer
from realtime.close_codes import CloseCode
from realtime.framing import Framing
from realtime.handshake import Handshake, Plain, Refused, Upgrade
from realtime.hub import Audience
from realtime.outlet import Outlet
from realtime.protocol import GoodbyeReason
from realtime.session import CONNECT_TIMEOUT_S, Action, Authenticate, Close, Renew, Reply, Session, Stage

MAX_BUFFER_BYTES: Final = 256 * 1024
CLOSE_TIMEOUT_S: Final = 5.0
MISSED_PONGS: Final = 2
PONG_PATIENCE_S: Final = 5.0  # before an unanswered ping is held against a client whose place is wanted
# Looked at before the client's frame allowance is asked again, so that a flood cannot hold the loop.
_READ_STEP: Final = 1024

_READY, _PINGS, _PONGS, _REFRESHED, _GOODBYES = (
    telemetry.frames_sent.of(kind) for kind in ("ready", "ping", "pong", "refreshed", "goodbye")
)


class Host(Protocol):
    """What a connection asks of its gateway."""

    def arrived(self, connection: "Connection") -> None: ...

    def answer(self, connection: "Connection", request: Plain) -> None:
        """Calls connection.reply() later."""
        ...

    def refusal(self) -> Answer | None:
        """Why no further socket is taken, None where one is."""
        ...

    def allows(self, origin: str | None) -> bool: ...

    def authenticate(self, connection: "Connection", action: Authenticate) -> None:
        """Calls connection.opened() or connection.refuse() later."""
        ...

    def renew(self, connection: "Connection", action: Renew) -> None:
        """Calls connection.renewed() or connection.refuse() later."""
        ...

    def went_live(self, connection: "Connection") -> None: ...

    def was_renewed(self, connection: "Connection") -> None: ...

    def left(self, connection: "Connection") -> None:
        """It is closing, or lost; called again where one follows the other."""
        ...

    def lost(self, connection: "Connection") -> None:
        """The socket is closed. Called once for each that arrived."""
        ...


class Connection(asyncio.Protocol):
    """From accept to loss. Until the handshake is done it is an HTTP connection with one request."""

    __slots__ = (
        "__weakref__",
        "_framing",
        "_handshake",
        "_host",
        "_is_heard_out",
        "_outlet",
        "_pinged_at",
        "_pings_unanswered",
        "_tell",
        "_timer",
        "_transport",
        "audience",
        "session",
        "wheel_slot",
    )

    def __init__(self, host: Host) -> None:
        self._host = host
        self._transport: asyncio.Transport
        # Dropped once it has said what the connection is.
        self._handshake: Handshake | None = Handshake()
        # The websocket; None before the handshake, and from the moment of closing on.
        self._framing: Framing | None = None
        # Where hints and counts go; None while it is not live.
        self._outlet: Outlet | None = None
        self._tell: Callable[[bytes], object] = _nowhere
        # Whether the client has shut its side: nothing more comes from it.
        self._is_heard_out = False
        # Ends what should not take longer: the handshake and connect, later the close.
        self._timer: asyncio.TimerHandle | None = None
        self.session = Session()
        self.audience: Audience[bytes] | None = None
        self._pings_unanswered = 0
        self._pinged_at = 0.0
        self.wheel_slot = -1

    # From the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)  # for the outlet to know that it holds something
        self._start_timer(CONNECT_TIMEOUT_S, self._time_out)
        self._host.arrived(self)

    def data_received(self, data: bytes) -> None:
        if self._handshake is not None:
            self._open(self._handshake, data)
            return
        self._pings_unanswered = 0
        if self._framing is not None and self._framing.is_pong(data):
            self._act(self.session.admit_frame(time.monotonic()))
            return
        for at in range(0, len(data), _READ_STEP):
            if self._framing is None:
                return
            self._read(self._framing, data[at : at + _READ_STEP])

    def eof_received(self) -> bool:
        """Whether the transport stays: until the one request is answered. Else it closes itself, which it
        does not while the client does not read: that has an end too.
        """
        self._is_heard_out = True
        self._start_timer(CLOSE_TIMEOUT_S, self.abort)
        is_being_answered = self._handshake is None and self._framing is None
        return is_being_answered and self.session.stage is not Stage.OVER

    def pause_writing(self) -> None:
        if self._outlet is not None:
            self._outlet.detach()

    def resume_writing(self) -> None:
        if self._outlet is not None:
            self._outlet.attach()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # a lost link is no error here
        framing, self._framing = self._framing, None
        if framing is not None:
            framing.end()
        self._leave()
        if self._outlet is not None:
            self._outlet.detach()
            self._outlet, self._tell = None, _nowhere
        self._stop_timer()
        self._host.lost(self)

    # From the hub.

    @property
    def tell(self) -> Callable[[bytes], object]:
        """The outlet's send(): a broadcast need not touch the connection."""
        return self._tell

    def expel(self, reason: GoodbyeReason, reconnect_after_ms: int | None = None) -> None:
        """Says goodbye and closes. The delay is jittered over five seconds unless given."""
        if self._framing is None:
            return
        if reconnect_after_ms is None:
            reconnect_after_ms = random.randrange(5_000)  # noqa: S311 - jitter
        _GOODBYES.value += 1
        self.close(close_codes.OF_GOODBYE[reason], reason, protocol.goodbye(reason, reconnect_after_ms))

    def make_room(self) -> None:
        now = time.monotonic()
        if self._pings_unanswered and now - self._pinged_at > PONG_PATIENCE_S:
            self.close(CloseCode.NO_PONG, "no answer to pings")

    # From the wheel.

    def ping(self) -> None:
        if self._pings_unanswered >= MISSED_PONGS:
            self.close(CloseCode.NO_PONG, "no answer to pings")
            return
        self._pings_unanswered += 1
        self._pinged_at = time.monotonic()
        self._write(protocol.PINGS)
        _PINGS.value += 1

    # From the gateway.

    @property
    def identity(self) -> Identity:
        """Who the client is. Only of a connection that is, or has been, live."""
        identity = self.session.identity
        assert identity is not None  # noqa: S101 - proved before it was opened
        return identity

    @property
    def is_socket(self) -> bool:
        """Whether it has become a websocket and is not closing."""
        return self._framing is not None

    @property
    def is_undecided(self) -> bool:
        """Whether it has not yet said what it wants."""
        return self._handshake is not None

    def opened(self, audience: Audience[bytes]) -> None:
        """The inbox is open and registered: says so, unless the client has gone meanwhile."""
        self.audience = audience
        if self._framing is None:
            self._leave()
            return
        self.session.opened()
        self._stop_timer()
        connection_id = os.urandom(8).hex()
        self._write(protocol.ready(connection_id, audience.unread, audience.unseen, audience.version))
        _READY.value += 1
        self._outlet = Outlet(self._transport, self._write)
        self._tell = self._outlet.send
        audience.go_live(self)
        self._host.went_live(self)

    def renewed(self, identity: Identity) -> None:
        """The token of a refresh held."""
        self._act(self.session.renewed(identity))
        if self._framing is not None:
            self._host.was_renewed(self)

    def refuse(self, error: BellwireError | None) -> None:
        """Authentication, opening or renewal failed; None: by a fault of ours."""
        if error is None:
            self.close(CloseCode.INTERNAL_ERROR, "internal")
        else:
            self.close(close_codes.of_error(error), error.message)

    def close(self, code: CloseCode, reason: str, last: bytes = b"") -> None:
        """Writes a last frame, closes, and gives the client CLOSE_TIMEOUT_S to do the same."""
        framing, self._framing = self._framing, None
        if framing is None:
            return
        self._write(last + framing.fail(code, reason))
        framing.end()
        self._finish()

    def reply(self, answer: Answer, *, with_body: bool) -> None:
        """Answers the one request of a connection that is no socket."""
        if not self._transport.is_closing():
            self._write(answer.encode(with_body=with_body))
            self._finish()

    def abort(self) -> None:
        """Drops the connection without a word."""
        self._framing = None
        self._transport.abort()

    # Inside.

    def _open(self, handshake: Handshake, data: bytes) -> None:
        outcome = handshake.receive(data)
        if outcome is None:
            return
        self._handshake = None
        match outcome:
            case Plain():
                self._host.answer(self, outcome)
            case Refused():
                self.reply(outcome.answer, with_body=outcome.method != "HEAD")
            case Upgrade():
                refusal = self._host.refusal()
                if refusal is None:
                    self._upgrade(outcome)
                else:
                    self.reply(refusal, with_body=True)

    def _upgrade(self, upgrade: Upgrade) -> None:
        self._framing = Framing()
        self._write(upgrade.response)
        if not self._host.allows(upgrade.origin):
            self.close(CloseCode.ORIGIN, "origin not allowed")
        elif isinstance(upgrade.credentials, InvalidRequest):
            self.refuse(upgrade.credentials)
        else:
            self._act(self.session.begin(upgrade.credentials))
            if upgrade.rest:
                self.data_received(upgrade.rest)

    def _read(self, framing: Framing, data: bytes) -> None:
        now = time.monotonic()
        for message in framing.receive(data):
            action = self.session.admit_frame(now)
            if action is None:
                action = self.session.receive(message) if isinstance(message, bytes) else message
            if action is not None:
                self._act(action)
                if self._framing is None:
                    return
        written = framing.answer()
        if written:
            self._write(written)
        if not framing.is_open:
            self._framing = None
            framing.end()
            self._finish()

    def _act(self, action: Action | None) -> None:
        match action:
            case Reply():
                self._write(action.frame)
                (_PONGS if action.frame is protocol.PONG else _REFRESHED).value += 1
            case Close():
                self.close(action.code, action.reason)
            case Authenticate():
                self._host.authenticate(self, action)
            case Renew():
                self._host.renew(self, action)
            case None:
                pass

    def _write(self, data: bytes) -> None:
        """Cuts a client that leaves too much unread. Raises nothing, whatever became of the socket."""
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_BUFFER_BYTES and self._framing is not None:
            telemetry.slow_consumers.inc()
            self.expel("slow_consumer")

    def _time_out(self) -> None:
        if self._framing is None:
            self.abort()
        elif (action := self.session.time_out()) is not None:
            self.close(action.code, action.reason)

    def _finish(self) -> None:
        self._leave()
        if self._is_heard_out:
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write_eof()
            self._start_timer(CLOSE_TIMEOUT_S, self.abort)

    def _leave(self) -> None:
        """Takes the connection out of everything that would write to it."""
        self.session.stage = Stage.OVER
        self._host.left(self)

    def _start_timer(self, delay: float, callback: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(delay, callback)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _nowhere(frame: bytes) -> None:
    del frame
