"""Writing past the transport: nothing is lost, swapped, or written to somebody else's socket."""

import asyncio
import gc
import os
import socket
import stat
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from realtime import connection
from realtime.outlet import Outlet, SocketDialect
from tests.harness import eventually
from tests.realtime.clients import GatewayUnderTest, RawClient

deliver = SocketDialect().deliver


class Served(asyncio.Protocol):
    """The server's side of one client, with an outlet as a connection has it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.outlet: Outlet
        self.held = 0
        self.made = asyncio.Event()
        self.is_attached = asyncio.Event()
        self.lost = asyncio.Event()
        # Whether the descriptor was still the transport's then.
        self.was_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=0)
        self.outlet = Outlet(self.transport, self.hold)
        self.made.set()

    def hold(self, data: bytes) -> None:
        self.held += 1
        if not self.transport.is_closing():
            self.transport.write(data)

    def pause_writing(self) -> None:
        self.outlet.detach()
        self.is_attached.clear()

    def resume_writing(self) -> None:
        self.outlet.attach()
        self.is_attached.set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        own = self.transport.get_extra_info("socket")
        self.was_open = stat.S_ISSOCK(os.fstat(own.fileno()).st_mode)
        self.outlet.detach()
        self.lost.set()


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[Served, socket.socket]]:
    """The server's side, and the client's: small buffers, and nobody reads."""
    served = Served()
    loop = asyncio.get_running_loop()
    with socket.socket() as listener, socket.socket() as client:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        listener.bind(("127.0.0.1", 0))
        server = await loop.create_server(lambda: served, sock=listener)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)  # noqa: FBT003 - the standard library's
        await loop.sock_connect(client, listener.getsockname())
        await soon(served.made)
        try:
            yield served, client
        finally:
            served.transport.abort()
            server.close()


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        await event.wait()


async def read(client: socket.socket, size: int) -> bytes:
    loop, received = asyncio.get_running_loop(), b""
    async with asyncio.timeout(10):
        while len(received) < size:
            received += await loop.sock_recv(client, size - len(received))
    return received


async def test_what_the_kernel_does_not_take_keeps_its_place() -> None:
    async with connected() as (served, client):
        send, written, number = served.outlet.send, b"", 0
        for _ in range(3):  # full, read to the end, and so on again
            before = served.held
            while served.held < before + 20:
                frame = b"%d." % number + b"x" * (number % 700)
                if number % 50 == 49:
                    served.transport.write(frame)  # a ping, say
                else:
                    deliver([send], frame)
                written += frame
                number += 1
                # Now and then the client makes a little room, while the transport still holds something.
                if served.held > before and number % 7 == 0:
                    got = await read(client, min(1000, len(written)))
                    assert written.startswith(got)
                    written = written[len(got) :]
            assert await read(client, len(written)) == written
            written = b""
            await soon(served.is_attached)
            held = served.held
            deliver([send], b"straight")
            assert (await read(client, 8), served.held) == (b"straight", held)


async def test_one_that_is_full_or_gone_costs_the_others_nothing() -> None:
    async with connected() as (full, _), connected() as (gone, leaving), connected() as (well, client):
        for _ in range(1000):
            deliver([full.outlet.send], b"x" * 1000)
        assert full.held
        leaving.close()
        await soon(gone.lost)
        deliver([full.outlet.send, gone.outlet.send, well.outlet.send], b"news")
        assert await read(client, 4) == b"news"


def leave(_: Served, client: socket.socket) -> None:
    client.close()


def reset(_: Served, client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def abort(served: Served, _: socket.socket) -> None:
    served.transport.abort()


def close(served: Served, _: socket.socket) -> None:
    served.transport.close()


@pytest.mark.parametrize("end", [leave, reset, abort, close])
async def test_a_connection_is_lost_before_its_descriptor_is_another_s(
    end: Callable[[Served, socket.socket], None],
) -> None:
    async with connected() as (served, client):
        send = served.outlet.send
        end(served, client)
        await soon(served.lost)
        assert served.was_open
        with pytest.raises(OSError, match="Bad file descriptor"):
            send(b"for somebody who has gone")


async def test_the_gateway_writes_no_more_to_a_client_it_has_lost(
    gateway: GatewayUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Outlet] = []

    class Watched(Outlet):
        __slots__ = ()

        def attach(self) -> None:
            super().attach()
            made.append(self)

    async def is_attached() -> bool:
        return made[0].fileno() >= 0

    monkeypatch.setattr(connection, "Outlet", Watched)
    client = await RawClient.connect(gateway, "ann")
    assert await is_attached()
    client.abort()
    await eventually(is_attached, lambda still: not still)


async def test_an_outlet_that_is_forgotten_leaves_the_descriptor_alone() -> None:
    async with connected() as (served, client):
        forgotten = Outlet(served.transport, served.hold)
        assert forgotten.fileno() == served.outlet.fileno()
        del forgotten
        gc.collect()
        deliver([served.outlet.send], b"still here")
        assert await read(client, 10) == b"still here"
