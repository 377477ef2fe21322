"""HTTP/1.1 on one connection: uvicorn's, bounded in heads and in waiting, with the contract's envelope."""

import asyncio
import fcntl
import sys
import termios
from typing import Any, Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api import errors
from app.api.joined_writes import JoinedWrites
from app.contract.errors import InvalidRequest

MAX_HEAD: Final = 64 * 1024  # request line and headers, in bytes, beyond what arrives at once; trailers too
PATIENCE_S = 30.0  # for a whole request to arrive; a body that brings PROGRESS bytes by then has it again
PROGRESS = 1 << 20
SIP: Final = 16 * 1024  # bytes of an answer that a client takes within PATIENCE_S, or all: else it is dropped


class HttpProtocol(HttpToolsProtocol):
    """What the parser refuses is told in the envelope, in its turn, then the connection ends.

    Nothing is upgraded on this port: a head that offers to, as Java's client does with its first one (h2c),
    is read as if it did not. The parser would take what follows for the other protocol, body included, so it
    is handed the same head once more, without the offer, and goes on from there.
    """

    parser: HttpRequestParser  # none once the connection is lost, when nothing asks for it
    _is_in_head = True
    _held = 0  # bytes since the parser last told of a head's end, or of a piece of body
    _is_arriving = False  # a request has begun, and not ended
    _arrived = 0  # bytes of its body, since the timer was set
    _timer: asyncio.TimerHandle | None = None  # none for what arrives at once, as most do
    _refusal: str | None = None  # to be told when the requests before it are answered
    _left: asyncio.TimerHandle | None = None  # set while the client has not taken all it was given
    _under_way: RequestResponseCycle | None = None  # uvicorn knows the last to arrive, which may wait

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        joined = JoinedWrites(cast("asyncio.Transport", transport), self.loop)
        joined.set_write_buffer_limits(high=0)  # to know of whatever is not taken
        super().connection_made(cast("asyncio.Transport", joined))
        self._wait_for_another()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        self._held += len(data)
        try:
            self._read(memoryview(data))
        except HttpParserError as error:
            refused = error.__context__
            known = isinstance(refused, InvalidRequest)
            self.send_400_response(refused.message if known else "not a valid HTTP request")
            return
        if self._held > MAX_HEAD:
            self.send_400_response("the head of the request is too large")
        elif not self._is_arriving:
            if self._is_answered:
                self._wait_for_another()
        elif self._timer is None:
            self._wait_for_more()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._left = self.loop.call_later(PATIENCE_S, self._look_at_reader, self._size_left)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._forget_reader()
        self._unset_keepalive_if_required()
        if self._under_way is not None and not self._under_way.response_complete:
            self._under_way.disconnected = True
            self._under_way.message_event.set()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._is_in_head = True
        self._is_arriving = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:  # trailers say nothing
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Raises InvalidRequest, which the parser passes on as the context of its own."""
        self._held = 0
        if self.parser.get_method() == b"CONNECT":
            raise InvalidRequest("CONNECT is not served")
        codings = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
        if codings not in ([], [b"chunked"]):
            raise InvalidRequest("Transfer-Encoding must be chunked")
        super().on_headers_complete()
        self._is_in_head = self.parser.should_upgrade()

    def on_body(self, body: bytes) -> None:
        self._held = 0
        self._arrived += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if not self._is_in_head:
            self._held = 0
            self._is_arriving = False
            self._stop_waiting()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._refusal is not None and self._is_answered:
            self.send_400_response(self._refusal)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._under_way = cycle
        super()._start_asgi_task(cycle, app)

    def _should_upgrade(self) -> bool:
        """So that uvicorn makes no request of a head with an offer, nor of its end."""
        return True

    def _read(self, data: memoryview) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as offer:
                data = data[offer.args[0] :]
                self.parser.feed_data(self._head_without_offer())
            else:
                return

    def _head_without_offer(self) -> bytes:
        start = b"%b %b HTTP/%b" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        headers = [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join((start, *headers, b"", b""))

    @property
    def _is_answered(self) -> bool:
        """Whether every request so far has its whole answer."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or cycle.response_complete

    def _wait_for_another(self) -> None:
        """As uvicorn does after an answer; for a first request too, and after bytes that began none."""
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _wait_for_more(self) -> None:
        self._arrived = 0
        self._timer = self.loop.call_later(PATIENCE_S, self._lose_patience)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def _size_left(self) -> int:
        """Bytes that the client's system has not acknowledged; off Linux, those that ours has not taken."""
        if sys.platform != "linux":
            return self.transport.get_write_buffer_size()
        unacknowledged = fcntl.ioctl(
            self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4)
        )
        return self.transport.get_write_buffer_size() + int.from_bytes(unacknowledged, sys.byteorder)

    def _look_at_reader(self, size: int) -> None:
        if self._size_left > size - SIP:
            self.transport.abort()
        else:
            self._left = self.loop.call_later(PATIENCE_S, self._look_at_reader, self._size_left)

    def _forget_reader(self) -> None:
        if self._left is not None:
            self._left.cancel()
            self._left = None

    def _lose_patience(self) -> None:
        is_unwanted = not self._is_in_head and self._is_answered
        if self.flow.read_paused or (self._arrived >= PROGRESS and not is_unwanted):
            self._wait_for_more()  # it is we who are slow, or it moves
        elif is_unwanted:
            self.transport.close()
        else:
            self.send_400_response("the request took too long to arrive")

    def send_400_response(self, msg: str) -> None:
        if self.transport.is_closing():
            return
        if not self._is_answered and not self.cycle.more_body:
            self._refusal = msg
            self.flow.pause_reading()
            return
        if self._is_answered or not self.cycle.response_started:
            reply = errors.envelope(InvalidRequest(msg))
            headers = b"".join(b"%b: %b\r\n" % header for header in reply.headers)
            head = b"HTTP/1.1 400 Bad Request\r\n" + headers + b"connection: close\r\n\r\n"
            self.transport.write(head + reply.body)
        self.transport.close()
