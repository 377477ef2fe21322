"""Requests no client library would send, and what every refusal must look like."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import msgspec

from app.settings import Address


class Answer(msgspec.Struct, frozen=True):
    """What came back. headers: lower-case names."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> object:
        return msgspec.json.decode(self.content)


async def exchange(address: Address, *parts: bytes, pause_s: float = 0.0) -> Answer:
    """Sends the parts, and reads one answer. pause_s: between the parts."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(read_answer(reader), 10)
    finally:
        writer.close()


@asynccontextmanager
async def begun(address: Address, part: bytes) -> AsyncGenerator[Callable[[bytes], Awaitable[Answer]]]:
    """A connection on which this much of a request was sent. Call what it yields with the rest."""
    reader, writer = await asyncio.open_connection(address.host, address.port)

    async def finish(rest: bytes) -> Answer:
        writer.write(rest)
        return await asyncio.wait_for(read_answer(reader), 10)

    try:
        writer.write(part)
        yield finish
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(head[0].split(" ")[1]), headers, body)


def request(method: str, target: bytes, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """A request as bytes; Content-Length is set where there is a body."""
    given = {"Host": "test", **({"Content-Length": str(len(body))} if body else {}), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items()).encode()
    return method.encode() + b" " + target + b" HTTP/1.1\r\n" + lines + b"\r\n" + body


def assert_refused(answer: "httpx.Response | Answer", status: int, code: str, *words: str) -> None:
    """The one envelope, with this status and code, and these words in its message."""
    assert answer.status_code == status, answer.content
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert isinstance(body, dict)
    assert set(body) == {"error"}, body
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["code"] == code, body
    for word in words:
        assert word in body["error"]["message"], body
