"""A transport on which what is written at a time leaves at a time."""

import asyncio
from typing import Any, Final

_MOST_HELD: Final = 64 * 1024


class JoinedWrites:
    """Around a real transport: an answer's head and its body become one system call, and one segment.

    Nothing is held beyond the current turn of the loop, or _MOST_HELD bytes.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._size += len(data)
        if self._size > _MOST_HELD:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        held, self._held, self._size = self._held, [], 0
        if held and not self._transport.is_closing():  # it may have been lost meanwhile
            self._transport.write(b"".join(held))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
