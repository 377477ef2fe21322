"""HTTP/1.1 on one connection: uvicorn's, with a bound on heads and the contract's envelope."""

import re
from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api import errors
from app.contract.errors import InvalidRequest

# Nothing is upgraded on this port, and the parser drops the body of a request that offers it, as Java's
# client does with every first one (h2c). So the parser is not told; the length stays the same.
_UPGRADE: Final = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
MAX_HEAD: Final = 64 * 1024  # request line and headers, in bytes, beyond what arrives at once


class HttpProtocol(HttpToolsProtocol):
    """What the parser refuses is told in the envelope, then the connection ends."""

    _is_in_head = True
    _head_size = 0

    def data_received(self, data: bytes) -> None:
        was_in_head = self._is_in_head
        if was_in_head and b"pgrade" in data:
            data = _UPGRADE.sub(b"\r\nx-grade:", data)
        super().data_received(data)
        if not self._is_in_head:
            return
        self._head_size = self._head_size + len(data) if was_in_head else 0
        if self._head_size > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("the head of the request is too large")

    def on_message_begin(self) -> None:
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None or cycle.response_complete or not cycle.response_started:
            reply = errors.envelope(InvalidRequest(msg))
            headers = b"".join(b"%b: %b\r\n" % header for header in reply.headers)
            head = b"HTTP/1.1 400 Bad Request\r\n" + headers + b"connection: close\r\n\r\n"
            self.transport.write(head + reply.body)
        self.transport.close()
