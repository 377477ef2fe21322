"""Websocket clients of the tests."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlencode

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from app.contract.resources import Counts
from app.settings import Address
from realtime.asyncapi import ServerFrame
from realtime.server import Gateway
from tests.factories import Environment

TIMEOUT_S = 10.0


class Client:
    """One socket, and every frame it has received but for pings, which may come at any moment."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def next(self, kind: str | None = None) -> dict[str, Any]:
        """The next frame, or the next of this type; others are kept in frames too. Pings only if asked."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                data = await self.socket.recv()
                msgspec.json.decode(data, type=ServerFrame)  # nothing but what is documented is ever sent
                frame = msgspec.json.decode(data, type=dict[str, Any])
                if frame["type"] != "ping":
                    self.frames.append(frame)
                    if kind in (None, frame["type"]):
                        return frame
                elif kind == "ping":
                    return frame

    async def counts(self, unread: int, unseen: int) -> dict[str, Any]:
        """Waits for these numbers."""
        while True:
            frame = await self.next("counts")
            if (frame["unread"], frame["unseen"]) == (unread, unseen):
                return frame

    async def send(self, frame: Mapping[str, Any] | str | bytes) -> None:
        if isinstance(frame, Mapping):
            frame = msgspec.json.encode(frame).decode()
        await self.socket.send(frame)

    async def closed(self) -> tuple[int, str]:
        """Reads to the end; the close code and reason."""
        with pytest.raises(ConnectionClosed) as end:
            await self._read_to_end()
        assert end.value.rcvd is not None, "the connection was lost without a close frame"
        return end.value.rcvd.code, end.value.rcvd.reason

    async def _read_to_end(self) -> None:
        while True:
            await self.next()

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]


class GatewayUnderTest:
    def __init__(self, gateway: Gateway | None, address: Address, environment: Environment) -> None:
        self.gateway = gateway
        self.address = address
        self.environment = environment

    @asynccontextmanager
    async def socket(
        self, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **options: Any
    ) -> AsyncGenerator[Client]:
        """A socket that has been accepted, whatever becomes of it."""
        url = f"ws://{self.address}/v1/inbox/ws?{urlencode(query or {})}"
        async with connect(
            url, additional_headers=headers, compression=None, proxy=None, ping_interval=None, **options
        ) as socket:
            yield Client(socket)

    @asynccontextmanager
    async def client(self, subscriber_id: str) -> AsyncGenerator[Client]:
        """A socket of this subscriber that is ready."""
        async with self.socket(self.environment.subscriber_query(subscriber_id)) as client:
            await client.next("ready")
            yield client

    async def http(self, head: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower-case names) and body of a raw request; head lacks only its blank line."""
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        try:
            writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
            async with asyncio.timeout(TIMEOUT_S):
                reply = await reader.read()
        finally:
            writer.close()
        raw_head, _, body = reply.partition(b"\r\n\r\n")
        status, *lines = raw_head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(status.split(" ")[1]), {name.lower(): value for name, value in headers.items()}, body


class RawClient:
    """A websocket client down to the bytes: it answers no ping, and reads only when told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.received = b""

    @classmethod
    async def connect(
        cls, gateway: GatewayUnderTest, subscriber_id: str, *, receive_buffer: int = 65_536
    ) -> "RawClient":
        """Returns once it is ready. receive_buffer: bytes the kernel takes while nobody reads."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)  # noqa: FBT003 - the standard library's
        await asyncio.get_running_loop().sock_connect(sock, (gateway.address.host, gateway.address.port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
        query = urlencode(gateway.environment.subscriber_query(subscriber_id))
        writer.write(
            f"GET /v1/inbox/ws?{query} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        async with asyncio.timeout(TIMEOUT_S):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b'"ping_interval_s":25}')
        return cls(reader, writer)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, gateway: GatewayUnderTest, subscriber_id: str, *, receive_buffer: int = 65_536
    ) -> AsyncGenerator["RawClient"]:
        client = await cls.connect(gateway, subscriber_id, receive_buffer=receive_buffer)
        try:
            yield client
        finally:
            client.close()

    async def write(self, *parts: bytes) -> None:
        """Each part by itself: the gateway has read one before the next comes."""
        for part in parts:
            self._writer.write(part)
            await self._writer.drain()
            await asyncio.sleep(0.01)

    async def read(self, size: int) -> None:
        """Up to so many bytes more."""
        async with asyncio.timeout(TIMEOUT_S):
            self.received += await self._reader.read(size)

    def frames(self) -> list[dict[str, Any]]:
        """Of what was read, the whole ones but pings. Raises where it is not the protocol's."""
        protocol = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN)
        protocol.receive_data(self.received)
        if protocol.parser_exc is not None:
            raise protocol.parser_exc
        frames = cast("list[Frame]", protocol.events_received())
        texts = [msgspec.json.decode(frame.data) for frame in frames if frame.opcode is Opcode.TEXT]
        return [frame for frame in texts if frame["type"] != "ping"]

    async def read_pong(self) -> None:
        """The JSON answer to a JSON ping."""
        async with asyncio.timeout(TIMEOUT_S):
            await self._reader.readuntil(b'{"type":"pong"}')

    async def read_to_close(self) -> tuple[int, int]:
        """How many bytes came before the close frame, and its code."""
        async with asyncio.timeout(TIMEOUT_S):
            self.received += await self._reader.read(-1)
        protocol = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN)
        protocol.receive_data(self.received)
        assert protocol.close_rcvd is not None, "the connection was lost without a close frame"
        return len(self.received), protocol.close_rcvd.code

    async def read_close_code(self) -> int:
        return (await self.read_to_close())[1]

    def end_sending(self) -> None:
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()


async def shown(client: Client) -> Counts:
    """The numbers that the client has on screen."""
    frame = next(frame for frame in reversed(client.frames) if frame["type"] in ("counts", "ready"))
    return Counts(frame["unread"], frame["unseen"], frame["version"])


def agree(one: Counts, other: Counts) -> bool:
    """Whether two say the same; a version may move without the numbers."""
    return (one.unread, one.unseen) == (other.unread, other.unseen)
