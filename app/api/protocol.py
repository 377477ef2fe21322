"""HTTP/1.1 on one connection: uvicorn's, bounded in heads and in waiting, with the contract's envelope."""

import asyncio
import re
from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api import errors
from app.contract.errors import InvalidRequest

# Nothing is upgraded on this port, and the parser drops the body of a request that offers it, as Java's
# client does with every first one (h2c). So the parser is not told; the length stays the same.
_UPGRADE: Final = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
MAX_HEAD: Final = 64 * 1024  # request line and headers, in bytes, beyond what arrives at once
PATIENCE_S = 30.0  # for a whole request to arrive; a body that brings PROGRESS bytes by then has it again
PROGRESS = 1 << 20


class HttpProtocol(HttpToolsProtocol):
    """What the parser refuses is told in the envelope, then the connection ends."""

    _is_in_head = True
    _head_size = 0
    _is_arriving = False  # a request has begun, and not ended
    _arrived = 0  # bytes of its body, since the timer was set
    _timer: asyncio.TimerHandle | None = None  # none for what arrives at once, as most do

    def data_received(self, data: bytes) -> None:
        was_in_head = self._is_in_head
        if was_in_head and b"pgrade" in data:
            data = _UPGRADE.sub(b"\r\nx-grade:", data)
        super().data_received(data)
        if self._is_arriving and self._timer is None:
            self._wait_for_more()
        if not self._is_in_head:
            return
        self._head_size = self._head_size + len(data) if was_in_head else 0
        if self._head_size > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("the head of the request is too large")

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._is_in_head = True
        self._is_arriving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._arrived += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_arriving = False
        self._stop_waiting()
        super().on_message_complete()

    def _wait_for_more(self) -> None:
        self._arrived = 0
        self._timer = self.loop.call_later(PATIENCE_S, self._lose_patience)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose_patience(self) -> None:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        is_answered = not self._is_in_head and cycle is not None and cycle.response_complete
        if self.flow.read_paused or (self._arrived >= PROGRESS and not is_answered):
            self._wait_for_more()  # it is we who are slow, or it moves
        elif is_answered:
            self.transport.close()  # nobody wants the rest
        else:
            self.send_400_response("the request took too long to arrive")

    def send_400_response(self, msg: str) -> None:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None or cycle.response_complete or not cycle.response_started:
            reply = errors.envelope(InvalidRequest(msg))
            headers = b"".join(b"%b: %b\r\n" % header for header in reply.headers)
            head = b"HTTP/1.1 400 Bad Request\r\n" + headers + b"connection: close\r\n\r\n"
            self.transport.write(head + reply.body)
        self.transport.close()
