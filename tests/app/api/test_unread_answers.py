"""An answer that nobody reads holds a connection for a bounded time."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator

import pytest

from app.api import main, protocol, server
from app.api.protocol import HttpProtocol
from app.api.services import Services
from app.settings import Address
from tests.app.api.wire import read_answer

PATIENCE_S = 0.3
SMALL, LARGE = (
    b"GET /docs/%b HTTP/1.1\r\nHost: x\r\n\r\n" % name for name in (b"reference.js", b"swagger-ui-bundle.js")
)
LAST = LARGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


class Watched(HttpProtocol):
    """Where the last connection ends on our side."""

    last: "Watched"
    lost: asyncio.Event

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.lost = asyncio.Event()
        Watched.last = self

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set()


@pytest.fixture
async def narrow(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Address]:
    """An API whose system holds little of what is not read."""
    monkeypatch.setattr(protocol, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(server, "HttpProtocol", Watched)
    listener = server.listen(services.settings.listen)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
    async with server.serve(main.create_app(services), listener, patience_s=1) as bound:
        yield bound


async def ask(address: Address, asked: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """By a client whose own system takes little that it has not read."""
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    own.setblocking(False)  # noqa: FBT003 - the standard library's
    await asyncio.get_running_loop().sock_connect(own, (address.host, address.port))
    reader, writer = await asyncio.open_connection(sock=own, limit=8 * 1024)
    writer.write(asked)
    return reader, writer


async def dropped() -> None:
    async with asyncio.timeout(10 * PATIENCE_S):
        await Watched.last.lost.wait()


@pytest.mark.parametrize("asked", [2 * LARGE, LARGE, LAST], ids=["more to come", "idle", "closing"])
async def test_who_reads_nothing_is_dropped(narrow: Address, asked: bytes) -> None:
    started = time.monotonic()
    _, writer = await ask(narrow, asked)
    await dropped()
    assert time.monotonic() - started >= PATIENCE_S
    writer.close()


async def test_the_least_that_is_not_taken_counts(narrow: Address) -> None:
    _, writer = await ask(narrow, SMALL)
    for _ in range(1000):
        writer.write(10 * SMALL)
        await asyncio.sleep(0.005)
        if Watched.last.transport.get_write_buffer_size():
            break
    await dropped()
    writer.close()


async def test_who_reads_slowly_has_it_all(narrow: Address) -> None:
    """Though it takes more than the patience there is for one that stands still."""
    reader, writer = await ask(narrow, LAST)
    started, size = time.monotonic(), 0
    while piece := await reader.read(8 * 1024):
        size += len(piece)
        await asyncio.sleep(0.01)
    assert time.monotonic() - started > 3 * PATIENCE_S
    assert size > 1_000_000
    writer.close()


async def test_who_has_read_everything_is_left_alone(narrow: Address) -> None:
    reader, writer = await ask(narrow, LARGE)
    await asyncio.sleep(PATIENCE_S / 2)
    for _ in range(2):
        assert (await read_answer(reader)).status_code == 200
        await asyncio.sleep(3 * PATIENCE_S)
        writer.write(SMALL)
    assert (await read_answer(reader)).status_code == 200
    writer.close()
