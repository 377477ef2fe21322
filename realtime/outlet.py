"""How frames reach many sockets at once: straight into the kernel, past the event loop's transports.

A transport's write() makes a broadcast dearer, by up to a twelfth (bench/results.md). Two things must hold:

- Bytes keep their order. A socket is written to straight only while its transport holds nothing back. With a
  high-water mark of 0 the transport says so at once (pause_writing), and when all is out (resume_writing).
- Nothing reaches a descriptor that has become another client's. It is the transport's, and closed only after
  connection_lost(), which detaches the outlet first.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from types import BuiltinMethodType
from typing import cast

from app.contract.hints import Reason
from realtime import protocol


class Outlet(socket.socket):
    """A transport's socket, to send() to. Detached while the transport holds something, and at its end."""

    __slots__ = ("_transport", "write")

    def __init__(self, transport: asyncio.Transport, write: Callable[[bytes], None]) -> None:
        """write: what send() does not take goes here, to the transport; raises nothing."""
        self._transport = transport
        self.write = write
        if transport.get_write_buffer_size() == 0:
            self.attach()

    def attach(self) -> None:
        own = cast("socket.socket", self._transport.get_extra_info("socket"))
        super().__init__(own.family, own.type, own.proto, own.fileno())
        self.setblocking(False)  # noqa: FBT003 - the standard library's

    def __del__(self) -> None:
        """A socket that is forgotten closes its descriptor: this one is not its own."""
        self.detach()


class SocketDialect:
    """Hints and counts as websocket frames, and their way out."""

    def hint(self, reason: Reason, payload: bytes) -> bytes:
        del reason  # the payload says it too
        return protocol.text(payload)

    def counts(self, unread: int, unseen: int, version: int) -> bytes:
        return protocol.counts(unread, unseen, version)

    def deliver(self, tellers: Sequence[Callable[[bytes], object]], told: bytes) -> None:
        """tellers: each the send() of an Outlet."""
        size = len(told)
        for send in tellers:
            try:
                sent = send(told)
            except OSError:  # full, closed by the other side, or detached
                sent = 0
            if sent != size:
                outlet = cast("Outlet", cast("BuiltinMethodType", send).__self__)
                outlet.write(told[cast("int", sent) :])
