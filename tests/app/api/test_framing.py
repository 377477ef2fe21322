"""Where a request ends and the next begins, however the bytes arrive: no body is taken for a request."""

import asyncio
import math
from collections import defaultdict
from typing import Final

import pytest

from app.api import server
from app.api.protocol import HttpProtocol
from app.settings import Address
from tests.app.api.wire import Answer, assert_refused, exchange, read_answer, request
from tests.factories import Environment

SMUGGLED: Final = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"
TOGETHER: Final = 32  # connections at a time

# By the client's port: how many bytes the server took, each time that it took some.
taken: defaultdict[int, asyncio.Queue[float]] = defaultdict(asyncio.Queue)


class Counting(HttpProtocol):
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        assert self.client is not None
        taken[self.client[1]].put_nowait(len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        assert self.client is not None
        taken[self.client[1]].put_nowait(math.inf)  # it takes no more


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HttpProtocol", Counting)


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailer + b"\r\n"


def offer(kind: str, headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Connection": "Upgrade, HTTP2-Settings", "Upgrade": kind, "HTTP2-Settings": "AAM"}


def shouted(sent: bytes) -> bytes:
    """Its head in capitals, but for the path and the values that are not words."""
    return sent.replace(b"Connection: Upgrade", b"CONNECTION: UPGRADE").replace(b"Upgrade:", b"UPGRADE:")


def requests(environment: Environment) -> list[tuple[bytes, tuple[int, bytes]]]:
    """With the status of the answer, and what is in it only where the body was read as it was sent."""
    json = {**environment.management_headers, "Content-Type": "application/json"}
    coded = {**json, "Transfer-Encoding": "chunked"}
    send, mark = b"/v1/notifications", b"/v1/notifications/none/read"
    return [
        (request("POST", send, offer("h2c", json), b'{"first":1}'), (400, b"first")),
        (shouted(request("POST", mark, offer("h2c", json), SMUGGLED)), (404, b"not_found")),
        (request("POST", send, offer("h2c", coded)) + chunked(b'{"sec', b'ond":1}'), (400, b"second")),
        (request("GET", b"/healthz", offer("websocket", {})), (200, b"version")),
        (request("POST", mark, json, SMUGGLED), (404, b"not_found")),
        (
            request("POST", send, coded) + chunked(b'{"third":1}', trailer=b"Authorization: none\r\n"),
            (400, b"third"),
        ),
    ]


async def answers(address: Address, *parts: bytes) -> list[Answer]:
    """All that come until the server closes. Each part is sent when the server has taken the one before."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    progress = taken[writer.get_extra_info("sockname")[1]] = asyncio.Queue()
    ahead = 0.0
    came = asyncio.StreamReader()
    try:
        for part in parts:
            writer.write(part)
            ahead += len(part)
            while ahead > 0:
                ahead -= await asyncio.wait_for(progress.get(), 10)
        came.feed_data(await asyncio.wait_for(reader.read(), 10))
        came.feed_eof()
    finally:
        writer.close()
    found: list[Answer] = []
    while not came.at_eof():
        found.append(await read_answer(came))
    return found


async def test_a_stream_split_anywhere_is_answered_as_it_is_whole(
    address: Address, environment: Environment
) -> None:
    """One answer a request, in their order."""
    sent = requests(environment)
    last = request("GET", b"/none", {"Connection": "close"})
    stream = b"".join(one for one, _ in sent) + last
    expected = [*(answer for _, answer in sent), (404, b"not_found")]
    limit = asyncio.Semaphore(TOGETHER)

    async def check(*parts: bytes) -> None:
        async with limit:
            found = await answers(address, *parts)
        assert [answer.status_code for answer in found] == [status for status, _ in expected], parts
        for answer, (_, word) in zip(found, expected, strict=True):
            assert word in answer.content, parts

    await check(stream)
    await check(*(stream[at : at + 1] for at in range(len(stream))))
    async with asyncio.TaskGroup() as tasks:
        for at in range(1, len(stream)):
            tasks.create_task(check(stream[:at], stream[at:]))


async def test_trailers_are_no_headers(address: Address, environment: Environment) -> None:
    body = chunked(b"{}", trailer=f"Authorization: Bearer {environment.api_key}\r\n".encode())
    sent = request("POST", b"/v1/notifications", {"Transfer-Encoding": "chunked"}) + body
    assert_refused(await exchange(address, sent), 401, "unauthorized")


async def test_a_length_is_its_value(address: Address, environment: Environment) -> None:
    body = b'{"subscriber_id":"ada","category":"news"}'
    for length, status in (
        (f"{len(body):0>40}", 201),
        (f"{len(body):0>2000}", 201),
        (f"{1 << 20:0>30}1", 413),
    ):
        headers = {
            **environment.management_headers,
            "Content-Type": "application/json",
            "Content-Length": length,
        }
        assert (
            await exchange(address, request("POST", b"/v1/notifications", headers, body))
        ).status_code == status


async def test_ambiguous_framing_is_400_and_the_end(
    address: Address, environment: Environment, subtests: pytest.Subtests
) -> None:
    authorization = environment.management_headers["Authorization"]
    for lines in (
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 41",
        "Content-Length: 41\r\nTransfer-Encoding: chunked",
        "Content-Length: 41\r\nContent-Length: 40",
        "Content-Length: 41, 41",
        "Content-Length: +41",
        "Content-Length: 0x29",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999999",
        "Content-Length :41",
        "Content-Length: 4\r\n 1",
        "Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: gzip, chunked",
    ):
        head = (
            f"POST /v1/notifications HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n{lines}\r\n\r\n"
        )
        with subtests.test(lines=lines):
            [only] = await answers(address, head.encode() + SMUGGLED)
            assert_refused(only, 400, "invalid_request")
            assert only.headers["connection"] == "close"
    [only] = await answers(address, b"CONNECT bellwire:443 HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED)
    assert_refused(only, 400, "invalid_request")


async def test_what_is_no_request_is_refused_after_the_answers_before_it(
    address: Address, environment: Environment
) -> None:
    body = b'{"subscriber_id":"ada","category":"news"}'
    headers = {**environment.management_headers, "Content-Type": "application/json"}
    good = request("POST", b"/v1/notifications", headers, body)
    first, second, refusal = await answers(address, good + good + b"\x00 nonsense\r\n\r\n" + good)
    assert [first.status_code, second.status_code] == [201, 201]
    assert_refused(refusal, 400, "invalid_request")


async def test_trailers_are_bounded(address: Address) -> None:
    head = request("POST", b"/v1/notifications/none/read", {"Transfer-Encoding": "chunked"})
    answered, refusal = await answers(address, head, b"0\r\nX: ", *[b"x" * 10_000] * 7)
    assert_refused(answered, 401, "unauthorized")
    assert_refused(refusal, 400, "invalid_request", "too large")
