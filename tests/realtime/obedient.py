"""Clients that do what the protocol says, cheap enough to have thousands of them in one test."""

import asyncio
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, cast
from urllib.parse import urlencode

import msgspec

from app.settings import Address
from tests.factories import Environment

_FIRST_BACKOFF_S: Final = 2.0
_MOST_BACKOFF_S: Final = 30.0


class ObedientClient:
    """Stays connected to one of the addresses a balancer names; comes back when it was told to."""

    def __init__(
        self, environment: Environment, subscriber_id: str, balancer: Callable[[], Sequence[Address]]
    ) -> None:
        self.is_ready = False
        self.hinted: set[str] = set()
        # Close code of each socket that ended.
        self.codes: list[int] = []
        # When (loop time) each socket became ready.
        self.ready_at: list[float] = []
        self._balancer = balancer
        self._target = f"/v1/inbox/ws?{urlencode(environment.subscriber_query(subscriber_id))}"
        self._failures = 0
        self._delay_s: float | None = None
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._connect())

    def stop(self) -> None:
        self._is_over = True
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._is_over:
            address = random.choice(self._balancer())
            try:
                await loop.create_connection(lambda: _Socket(self), address.host, address.port)
            except OSError:
                self._failures += 1
                await asyncio.sleep(self._backoff())
            else:
                return

    def opened(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.write(
            f"GET {self._target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )

    def frame(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ready":
                self.is_ready = True
                self._failures = 0
                self.ready_at.append(asyncio.get_running_loop().time())
            case "hint":
                self.hinted.add(frame.get("id", ""))
            case "goodbye":
                self._delay_s = frame["reconnect_after_ms"] / 1000
            case _:
                pass

    def lost(self, code: int) -> None:
        self.codes.append(code)
        self.is_ready = False
        if self._is_over:
            return
        delay, self._delay_s = self._delay_s, None
        if delay is None:
            self._failures += 1
            delay = self._backoff()
        asyncio.get_running_loop().call_later(delay, self.start)

    def _backoff(self) -> float:
        return random.uniform(0, min(_MOST_BACKOFF_S, _FIRST_BACKOFF_S**self._failures))


class _Socket(asyncio.Protocol):
    def __init__(self, client: ObedientClient) -> None:
        self._client = client
        self._transport: asyncio.Transport
        self._received = b""
        self._is_upgraded = False
        self._code = 1006

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._client.opened(self._transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._is_upgraded:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._transport.close()
                return
            self._is_upgraded, self._received = True, rest
        while self._take():
            pass

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._client.lost(self._code)

    def _take(self) -> bool:
        """One frame off the front, if it is all there. Those of a server to such clients are short."""
        if len(self._received) < 2 or len(self._received) < 2 + self._received[1]:
            return False
        opcode, size = self._received[0] & 15, self._received[1]
        payload, self._received = self._received[2 : 2 + size], self._received[2 + size :]
        if opcode == 1:
            self._client.frame(msgspec.json.decode(payload, type=dict[str, Any]))
        elif opcode == 9:
            self._transport.write(b"\x8a\x80\0\0\0\0")
        elif opcode == 8:
            [self._code] = struct.unpack("!H", payload[:2])
            self._transport.close()
        return True
