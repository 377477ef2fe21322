"""A way to a server on which every connection can be reset (RST)."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Passage:
    """url: as the server's, by this way."""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url)
        self._ends: set[asyncio.StreamWriter] = set()
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, port: int = 0) -> AsyncGenerator["Passage"]:
        """port: 0 for a free one."""
        passage = cls(url)
        server = await asyncio.start_server(passage._accept, "127.0.0.1", port)
        port = server.sockets[0].getsockname()[1]
        passage.url = passage._place._replace(netloc=f"127.0.0.1:{port}").geturl()
        try:
            yield passage
        finally:
            server.close()
            passage.reset()

    def reset(self) -> int:
        """How many there were."""
        ends, self._ends = self._ends, set()
        for end in ends:
            end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()
        return len(ends)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        inner_reader, inner_writer = await asyncio.open_connection(self._place.hostname, self._place.port)
        try:
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        except OSError:
            pass
        finally:
            inner_writer.close()
            self._ends.discard(writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()
