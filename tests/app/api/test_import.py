"""POST /v1/subscribers/import: line by line as it arrives, a thousand to a commit."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import httpx
import pytest

from app.db.pool import Pool
from app.services import imports
from app.settings import Address
from tests.app.api.test_items import broadcast
from tests.app.api.wire import assert_refused, exchange, read_answer, request
from tests.factories import Environment
from tests.harness import eventually

PATH = "/v1/subscribers/import"
NDJSON = {"Content-Type": "application/x-ndjson"}
MEBIBYTE = 1 << 20


async def load(backend: httpx.AsyncClient, *lines: str | bytes) -> dict[str, Any]:
    raw = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    answer = await backend.post(PATH, content=raw, headers=NDJSON)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["created", "existing", "errors"]
    return answer.json()


def people(numbers: Iterable[int]) -> list[str]:
    return [f'{{"subscriber_id":"person {number}"}}' for number in numbers]


async def names(pool: Pool) -> list[str]:
    return [row[0] for row in await pool.fetch("SELECT subscriber_id FROM subscribers ORDER BY 1")]


async def test_everyone_is_created_with_their_time(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, pool: Pool
) -> None:
    announcement = await broadcast(backend)
    answer = await backend.post(
        PATH,
        content='{"subscriber_id":"ada","created_at":"2020-01-01T02:00:00.5+02:00"}\n'
        '{"created_at":null,"subscriber_id":"/🔔\\u00e9"}\n',
        headers=NDJSON,
    )
    assert answer.content == b'{"created":2,"existing":0,"errors":[]}'
    assert await names(pool) == ["/🔔é", "ada"]
    found = (await backend.get("/v1/subscribers/ada")).json()
    assert found["created_at"] == "2020-01-01T00:00:00.500000Z"
    assert (await ada.get("/v1/inbox/items")).json()["items"][0]["id"] == announcement


async def test_who_is_there_is_left_as_they_are(backend: httpx.AsyncClient, pool: Pool) -> None:
    """Also one that the same file names twice, in one batch or in two."""
    before = (await backend.put("/v1/subscribers/ada", json={"created_at": "2020-01-01T00:00:00Z"})).json()
    twice = '{"subscriber_id":"bob","created_at":"2021-01-01T00:00:00Z"}'
    later = '{"subscriber_id":"bob","created_at":"2022-01-01T00:00:00Z"}'
    ada = '{"subscriber_id":"ada","created_at":"2022-01-01T00:00:00Z"}'
    reply = await load(backend, ada, twice, later, *people(range(1000)), later)
    assert reply == {"created": 1001, "existing": 3, "errors": []}
    assert (await backend.get("/v1/subscribers/ada")).json()["created_at"] == before["created_at"]
    assert (await backend.get("/v1/subscribers/bob")).json()["created_at"].startswith("2021")
    assert (await load(backend, twice))["existing"] == 1


async def test_bad_lines_are_named_by_their_physical_number_and_spoil_nothing(
    backend: httpx.AsyncClient, pool: Pool
) -> None:
    bad = {
        "{": "JSON",
        "[]": "object",
        "null": "object",
        '"ada"': "object",
        "{}": "subscriber_id",
        '{"subscriber_id":""}': "subscriber_id",
        '{"subscriber_id":"' + "x" * 256 + '"}': "subscriber_id",
        '{"subscriber_id":"' + "é" * 128 + '"}': "subscriber_id",
        '{"subscriber_id":7}': "subscriber_id",
        '{"subscriber_id":null}': "subscriber_id",
        '{"subscriber_id":"a","name":"Ada"}': "name",
        '{"subscriber_id":"a","created_at":"yesterday"}': "created_at",
        '{"subscriber_id":"a","created_at":"2020-01-01T00:00:00"}': "created_at",
        '{"subscriber_id":"a","created_at":"1969-01-01T00:00:00Z"}': "created_at",
        '{"subscriber_id":"a","created_at":1}': "created_at",
        '{"subscriber_id":"a"}{"subscriber_id":"b"}': "JSON",
        '{"subscriber_id":"\\u0000"}': "U+0000",
        '{"subscriber_id":"\\ud800"}': "surrogate",
        b'{"subscriber_id":"\xff"}': "UTF-8",
        b'\xef\xbb\xbf{"subscriber_id":"a"}': "JSON",
        '{"subscriber_id":' + "[" * 1000: "128",
        '{"subscriber_id":"' + "x" * 10_000 + '"}': "8192",
        '{"subscriber_id":"' + "x" * 500_000 + '"}': "8192",
    }
    lines: list[str | bytes] = ["", '{"subscriber_id":"first"}\r', " \t\r"]
    expected: list[tuple[int, str]] = []
    for line, word in bad.items():
        lines.append(line)
        expected.append((len(lines), word))
        lines += ["", f'{{"subscriber_id":"after {len(lines)}"}}']
    reply = await load(backend, *lines, "")
    assert [error["line"] for error in reply["errors"]] == [number for number, _ in expected]
    for error, (_, word) in zip(reply["errors"], expected, strict=True):
        assert list(error) == ["line", "message"]
        assert word in error["message"], error
        assert "the body" not in error["message"]
    assert (reply["created"], reply["existing"]) == (1 + len(bad), 0)
    assert len(await names(pool)) == 1 + len(bad)


async def test_lines_may_be_cut_anywhere(address: Address, environment: Environment, pool: Pool) -> None:
    raw = '{"subscriber_id":"é🔔"}\n\n{"subscriber_id":"b"}\r\n{"subscriber_id":"c"}'.encode()
    head = request(
        "POST", PATH.encode(), {**environment.management_headers, **NDJSON, "Transfer-Encoding": "chunked"}
    )
    drops = [b"1\r\n" + raw[at : at + 1] + b"\r\n" for at in range(len(raw))]
    answer = await exchange(address, head, *drops, b"0\r\n\r\n")
    assert answer.content == b'{"created":3,"existing":0,"errors":[]}'
    assert await names(pool) == ["b", "c", "é🔔"]


async def test_nothing_is_fine_too(backend: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for content, headers in ((b"", {}), (b"", {"Content-Type": "text/plain"}), (b"\n \n\r\n", NDJSON)):
        with subtests.test(content=content, headers=headers):
            answer = await backend.post(PATH, content=content, headers=headers)
            assert answer.content == b'{"created":0,"existing":0,"errors":[]}'


async def test_the_content_type_is_ndjson(
    backend: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    for content_type in ("application/json", "text/csv", "application/x-ndjson+json", ""):
        with subtests.test(content_type=content_type):
            answer = await backend.post(PATH, content=people([1])[0], headers={"Content-Type": content_type})
            assert_refused(answer, 400, "invalid_request", "application/x-ndjson")
    assert await names(pool) == []
    typed = {"Content-Type": "Application/X-NDJSON; charset=utf-8"}
    assert (await backend.post(PATH, content=people([1])[0], headers=typed)).status_code == 200


async def test_every_thousand_lines_commit_on_their_own(
    address: Address, environment: Environment, pool: Pool
) -> None:
    """They are there while the rest is still to come, and stay when it never does."""
    head = request(
        "POST", PATH.encode(), {**environment.management_headers, **NDJSON, "Content-Length": "1000000"}
    )
    _, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(head + "\n".join(people(range(2500))).encode())

    async def count() -> int:
        return await pool.fetchval("SELECT count(*) FROM subscribers")

    await eventually(count, lambda found: found == 2000)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.1)
    assert await count() == 2000


async def test_the_line_past_the_limit_is_an_error_and_ends_it(
    backend: httpx.AsyncClient, pool: Pool
) -> None:
    same = '{"subscriber_id":"a"}\n'
    whole = await backend.post(PATH, content=same * imports.MOST_LINES + "\n\n", headers=NDJSON)
    assert whole.json() == {"created": 1, "existing": imports.MOST_LINES - 1, "errors": []}
    more = "\n" + same * imports.MOST_LINES + '{"subscriber_id":"b"}\n{"subscriber_id":"c"}\n' * 1000
    over = (await backend.post(PATH, content=more, headers=NDJSON)).json()
    assert over["existing"] == imports.MOST_LINES
    assert [error["line"] for error in over["errors"]] == [imports.MOST_LINES + 2]
    assert "100000" in over["errors"][0]["message"]
    assert await names(pool) == ["a"]


async def test_a_thousand_errors_are_listed_at_most(
    backend: httpx.AsyncClient, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ended the import is among them, all the same."""
    reply = await load(backend, *["x"] * 1500, *people([1]))
    assert [error["line"] for error in reply["errors"]] == list(range(1, 1001))
    assert reply["created"] == 1
    monkeypatch.setattr(imports, "MOST_LINES", 1200)
    reply = await load(backend, *["x"] * 1500)
    assert [error["line"] for error in reply["errors"]] == [*range(1, 1000), 1201]


async def test_over_32_mebibytes_is_413(address: Address, environment: Environment) -> None:
    head = {**environment.management_headers, **NDJSON}
    announced = request("POST", PATH.encode(), {**head, "Content-Length": str(32 * MEBIBYTE + 1)})
    assert_refused(await exchange(address, announced), 413, "payload_too_large", str(32 * MEBIBYTE))
    endless = request("POST", PATH.encode(), {**head, "Transfer-Encoding": "chunked"})
    chunk = b"100000\r\n" + b" " * MEBIBYTE + b"\r\n"
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(endless)
    for _ in range(33):
        writer.write(chunk)
        await writer.drain()
    assert_refused(await asyncio.wait_for(read_answer(reader), 10), 413, "payload_too_large")
    writer.close()


async def test_a_large_one_is_not_held_in_memory(backend: httpx.AsyncClient) -> None:
    """24 MiB of blanks, and one line of 8 MiB."""

    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(24):
            yield b" " * (MEBIBYTE - 1) + b"\n"
        for _ in range(7):
            yield b"x" * MEBIBYTE

    tracemalloc.start()
    try:
        answer = await backend.post(PATH, content=chunks(), headers=NDJSON)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.json()["errors"] == [{"line": 25, "message": "the line must be at most 8192 bytes"}]
    assert peak < 8 * MEBIBYTE


async def test_auth_comes_before_the_body(address: Address) -> None:
    head = request("POST", PATH.encode(), {**NDJSON, "Content-Length": "1000000"})
    assert_refused(await exchange(address, head), 401, "unauthorized")


async def test_only_posts_to_exactly_this_path_import(
    backend: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for path in ("/v1/subscribers/ada", "/v1/subscribers/imports", "/v1/subscribers/Import"):
        with subtests.test(path=path):
            answer = await backend.post(path, content=people([1])[0], headers=NDJSON)
            assert_refused(answer, 405, "method_not_allowed")
            assert answer.headers["allow"] == "DELETE, GET, HEAD, PUT"


async def test_a_subscriber_may_be_called_import(backend: httpx.AsyncClient) -> None:
    assert json.loads((await backend.put("/v1/subscribers/import")).content)["subscriber_id"] == "import"
    assert (await backend.get("/v1/subscribers/import")).json()["counts"]["unread"] == 0
    assert (await backend.post("/v1/subscribers/import/tokens")).status_code == 201
    assert (await backend.get("/v1/subscribers/import/preferences")).status_code == 200
    assert (await backend.delete("/v1/subscribers/import")).status_code == 204
    assert_refused(await backend.get("/v1/subscribers/import"), 404, "not_found")
