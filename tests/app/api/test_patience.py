"""A request that does not arrive holds a connection for a bounded time, whatever it trickles."""

import asyncio
import time

import pytest

from app.api import protocol, server
from app.settings import Address
from tests.app.api.wire import assert_refused, read_answer, request
from tests.factories import Environment

PATIENCE_S = 0.3
IDLE_S = 1


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(protocol, "PROGRESS", 1000)
    monkeypatch.setattr(server, "KEEP_ALIVE_S", IDLE_S)


async def trickle(writer: asyncio.StreamWriter, drop: bytes) -> None:
    """Until the server closes."""
    while not writer.is_closing():
        writer.write(drop)
        await asyncio.sleep(0.02)


async def ends(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes the connection."""
    try:
        return await asyncio.wait_for(reader.read(), 20 * PATIENCE_S)
    except ConnectionResetError:
        return b""


async def test_a_trickling_body_is_400_and_the_end(
    address: Address, environment: Environment, subtests: pytest.Subtests
) -> None:
    for target in (b"/v1/notifications", b"/v1/subscribers/import", b"/v1/notifications/x/read"):
        for framing, drop in (
            ({"Content-Length": "1000000"}, b" "),
            ({"Transfer-Encoding": "chunked"}, b"1\r\n \r\n"),
        ):
            with subtests.test(target=target, framing=framing):
                started = time.monotonic()
                reader, writer = await asyncio.open_connection(address.host, address.port)
                headers = {
                    **environment.management_headers,
                    "Content-Type": "application/x-ndjson" if b"import" in target else "application/json",
                    **framing,
                }
                writer.write(request("POST", target, headers))
                async with asyncio.TaskGroup() as tasks:
                    drops = tasks.create_task(trickle(writer, drop))
                    assert_refused(await read_answer(reader), 400, "invalid_request", "too long")
                    assert await ends(reader) == b""
                    drops.cancel()
                writer.close()
                assert PATIENCE_S <= time.monotonic() - started < 10 * PATIENCE_S


async def test_a_trickling_head_is_400_and_the_end(address: Address) -> None:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")  # also after one that was answered
    assert (await read_answer(reader)).status_code == 200
    writer.write(b"GET /healthz HTTP/1.1\r\nX: ")
    async with asyncio.TaskGroup() as tasks:
        drops = tasks.create_task(trickle(writer, b"x"))
        assert_refused(await read_answer(reader), 400, "invalid_request", "too long")
        assert await ends(reader) == b""
        drops.cancel()
    writer.close()


async def test_the_rest_of_a_body_that_was_answered_is_not_waited_for(address: Address) -> None:
    """However much of it comes: nothing more is said, and the connection ends."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(request("POST", b"/v1/notifications", {"Content-Length": "1000000000"}))
    assert_refused(await read_answer(reader), 401, "unauthorized")
    async with asyncio.TaskGroup() as tasks:
        drops = tasks.create_task(trickle(writer, b" " * 1000))
        assert await ends(reader) == b""
        drops.cancel()
    writer.close()


async def test_a_body_that_moves_has_the_time_it_takes(address: Address, environment: Environment) -> None:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    headers = {
        **environment.management_headers,
        "Content-Type": "application/x-ndjson",
        "Transfer-Encoding": "chunked",
    }
    writer.write(request("POST", b"/v1/subscribers/import", headers))
    started = time.monotonic()
    while time.monotonic() - started < 4 * PATIENCE_S:
        writer.write(b"3e8\r\n" + b" " * 999 + b"\n\r\n")
        await asyncio.sleep(0.02)
    writer.write(b"0\r\n\r\n")
    assert (await asyncio.wait_for(read_answer(reader), 5)).status_code == 200
    writer.close()


async def test_half_a_head_is_400_and_the_end(address: Address) -> None:
    for half in (b"G", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"\r\nPOST /v1/notifications"):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(half)
        assert_refused(await read_answer(reader), 400, "invalid_request", "too long")
        assert await ends(reader) == b""
        writer.close()


async def test_a_connection_without_a_request_ends_when_an_idle_one_does(address: Address) -> None:
    """Nothing at all; bytes that begin no request; the same after one whose body came late."""
    late = request("POST", b"/v1/notifications", {"Content-Length": "2"})
    for before, then in ((b"", b""), (b"", b"\r\n"), (late, b"{}"), (late, b"{}\r\n")):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(before)
        if before:
            assert_refused(await read_answer(reader), 401, "unauthorized")
        started = time.monotonic()
        writer.write(then)
        assert await ends(reader) == b""
        assert IDLE_S * 0.9 <= time.monotonic() - started < 4 * IDLE_S
        writer.close()


async def test_an_idle_connection_is_left_alone(address: Address) -> None:
    """What has ended is not waited for."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    for _ in range(2):
        for part in (b"POST /v1/notifications HTTP/1.1\r\nHost: x\r\nContent-", b"Length: 2\r\n\r\n{", b"}"):
            writer.write(part)
            await asyncio.sleep(0.02)
        assert_refused(await read_answer(reader), 401, "unauthorized")
        await asyncio.sleep(2 * PATIENCE_S)
    writer.close()
