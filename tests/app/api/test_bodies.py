"""Bodies: strict JSON, a mebibyte at most, refused with the field and the rule, and nothing done."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Final

import httpx
import pytest

from app.db.pool import Pool
from app.settings import Address
from tests.app.api.wire import assert_refused, exchange, request
from tests.factories import Environment

MEBIBYTE: Final = 1 << 20
JSON: Final = {"Content-Type": "application/json"}
SEND: Final[Mapping[str, object]] = {"subscriber_id": "ada", "category": "news"}


async def rows(pool: Pool) -> int:
    """How much there is that a send could have left."""
    return await pool.fetchval(
        "SELECT (SELECT count(*) FROM subscribers) + (SELECT count(*) FROM notifications)"
        " + (SELECT count(*) FROM broadcasts) + (SELECT count(*) FROM idempotency)"
        " + (SELECT count(*) FROM scheduled) + (SELECT count(*) FROM outbox)"
    )


async def test_a_malformed_notification_is_400_with_the_field_named_and_changes_nothing(
    backend: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    long, bad = "x" * 256, "é" * 128
    for field, value in (
        ("subscriber_id", 42),
        ("subscriber_id", ""),
        ("subscriber_id", long),
        ("subscriber_id", bad),
        ("subscriber_id", ["ada"]),
        ("subscriber_id", True),
        ("category", None),
        ("category", ""),
        ("category", long),
        ("category", bad),
        ("category", 1),
        ("category", {}),
        ("payload", []),
        ("payload", "text"),
        ("payload", 1),
        ("payload", True),
        ("payload", {"a": "x" * 16_384}),
        ("idempotency_key", ""),
        ("idempotency_key", long),
        ("idempotency_key", 7),
        ("deliver_at", "tomorrow"),
        ("deliver_at", ""),
        ("deliver_at", 1893456000),
        ("deliver_at", "2030-01-01"),
        ("deliver_at", "2030-01-01T00:00:00"),
        ("deliver_at", "2030-02-30T00:00:00Z"),
        ("deliver_at", "2030-01-01T25:00:00Z"),
        ("deliver_at", "1969-12-31T23:59:59Z"),
        ("deliver_at", "0001-01-01T00:00:00+14:00"),
        ("deliver_at", "9999-12-31T23:59:59-14:00"),
        ("deliver_at", "2001-01-01T00:00:00Z"),
        ("deliver_at", "9998-01-01T00:00:00Z"),
        ("expires_at", "2030-01-01T00:00:00"),
        ("expires_at", "2001-01-01T00:00:00Z"),
        ("expires_at", False),
        ("deliverAt", "2030-01-01T00:00:00Z"),
        ("Category", "news"),
        ("", "nothing"),
    ):
        with subtests.test(field=field, value=value):
            answer = await backend.post("/v1/notifications", json={**SEND, field: value})
            assert_refused(answer, 400, "invalid_request", field)
    assert await rows(pool) == 0


async def test_recipients_are_given_once_and_each_is_checked(
    backend: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    for recipients, named in (
        ({}, "subscriber_id"),
        ({"subscriber_id": None}, "subscriber_id"),
        ({"subscriber_id": "ada", "subscriber_ids": ["bob"]}, "exactly one"),
        ({"subscriber_ids": []}, "subscriber_ids"),
        ({"subscriber_ids": ["a"] * 101}, "subscriber_ids"),
        ({"subscriber_ids": ["ada", ""]}, "subscriber_ids[1]"),
        ({"subscriber_ids": ["ada", "x" * 256]}, "subscriber_ids[1]"),
        ({"subscriber_ids": ["ada", 7]}, "subscriber_ids"),
        ({"subscriber_ids": ["ada", None]}, "subscriber_ids"),
        ({"subscriber_ids": "ada"}, "subscriber_ids"),
    ):
        with subtests.test(recipients=recipients):
            answer = await backend.post("/v1/notifications", json={"category": "news", **recipients})
            assert_refused(answer, 400, "invalid_request", named)
    assert await rows(pool) == 0


async def test_one_bad_recipient_spoils_all(backend: httpx.AsyncClient, pool: Pool) -> None:
    """Whatever is wrong with it: too long, or not a string that can be stored."""
    for bad in ("x" * 256, "", "nul\0", "half\ud800"):
        body = json.dumps({"category": "news", "subscriber_ids": [*(f"u{n}" for n in range(99)), bad]})
        answer = await backend.post("/v1/notifications", content=body, headers=JSON)
        assert_refused(answer, 400, "invalid_request")
    assert await rows(pool) == 0


async def test_bodies_that_are_no_json_of_ours_are_400(
    backend: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    for body, word in (
        (b"", "body"),
        (b" ", "JSON"),
        (b"{", "JSON"),
        (b"null", "object"),
        (b"[]", "object"),
        (b'"text"', "object"),
        (b"1", "object"),
        (b'{"category":"a","subscriber_id":"b"}{}', "JSON"),
        (b'{"category":"a","subscriber_id":"b",}', "JSON"),
        (b"{'category':'a'}", "JSON"),
        (b'{"category":"\xff","subscriber_id":"b"}', "UTF-8"),
        (b'{"category":"\xed\xa0\x80","subscriber_id":"b"}', "UTF-8"),
        (b'\xef\xbb\xbf{"category":"a","subscriber_id":"b"}', "JSON"),
        (b'{"category":"a\x00","subscriber_id":"b"}', "JSON"),
        (b'{"category":"\\u0000","subscriber_id":"b"}', "U+0000"),
        (b'{"category":"\\ud800","subscriber_id":"b"}', "surrogate"),
        (b'{"category":"\\udc00\\ud800","subscriber_id":"b"}', "surrogate"),
        (b'{"category":"a","subscriber_id":"b","payload":{"x":"\\u0000"}}', "U+0000"),
        (b'{"category":"a","subscriber_id":"b","payload":{"\\ud83d":1}}', "surrogate"),
        (b'{"category":"a","subscriber_id":"b","payload":{"x":"\xfe"}}', "UTF-8"),
        (b'{"category":"a","subscriber_id":"b","payload":{"x":NaN}}', "JSON"),
        (b'{"category":"a","subscriber_id":"b","payload":{"x":01}}', "JSON"),
        (b'{"category":"a","subscriber_id":"b","payload":{"x"}}', "JSON"),
        (b'{"category":"a","subscriber_id":"b","payload":' + b"[" * 100_000, ""),
        (b'{"category":"a","subscriber_id":"b","payload":' + nested(128) + b"}", "128"),
        (b'{"category":' + b"[" * 200 + b"]" * 200 + b"}", "128"),
    ):
        with subtests.test(body=body[:80]):
            answer = await backend.post("/v1/notifications", content=body, headers=JSON)
            assert_refused(answer, 400, "invalid_request", word)
    assert await rows(pool) == 0


def nested(levels: int) -> bytes:
    """An object of so many levels."""
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


async def test_128_levels_are_deep_enough(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    payload = nested(127)
    body = b'{"category":"a","subscriber_id":"ada","payload":' + payload + b"}"
    answer = await backend.post("/v1/notifications", content=body, headers=JSON)
    assert answer.status_code == 201
    assert b'"payload":' + payload in (await ada.get("/v1/inbox/items")).content


async def test_payloads_come_back_byte_for_byte(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for payload in (
        b"{}",
        b'{ "z" : 1,\n\t"a":  [ 1.0, 1e400, -0.0, 123456789012345678901234567890 ] }',
        b'{"a":1,"a":2}',
        '{"emoji":"🔔","escaped":"\\ud83d\\udd14","slash":"\\/"}'.encode(),
        b'{"":null,"__proto__":{},"$ref":"#"}',
        b'{"a":"' + b"x" * 16_376 + b'"}',
    ):
        with subtests.test(payload=payload[:80]):
            body = b'{"category":"a","subscriber_id":"ada","payload":' + payload + b"}"
            sent = await backend.post("/v1/notifications", content=body, headers=JSON)
            assert sent.status_code == 201
            page = (await ada.get("/v1/inbox/items", params={"limit": 1})).content
            assert b'"payload":' + payload + b',"occurred_at"' in page


async def test_null_means_absent(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    body = {
        **SEND,
        "subscriber_ids": None,
        "payload": None,
        "idempotency_key": None,
        "deliver_at": None,
        "expires_at": None,
    }
    sent = await backend.post("/v1/notifications", json=body)
    assert sent.status_code == 201
    assert sent.json()["idempotency_key"].startswith("idem_")
    assert (await ada.get("/v1/inbox/items")).json()["items"][0]["payload"] == {}


async def test_content_types(backend: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests) -> None:
    for accepted in (
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.acme.v1+json",
        "application/json;",
    ):
        with subtests.test(content_type=accepted):
            answer = await backend.post(
                "/v1/notifications", content=json.dumps(SEND), headers={"Content-Type": accepted}
            )
            assert answer.status_code == 201
    for refused in (
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "json",
        "",
    ):
        with subtests.test(content_type=refused):
            answer = await backend.post(
                "/v1/notifications", content=json.dumps(SEND), headers={"Content-Type": refused}
            )
            assert_refused(answer, 400, "invalid_request", "Content-Type")
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 5


async def test_a_body_over_a_mebibyte_is_413(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    large = b'{"category":"' + b"x" * MEBIBYTE + b'"}'

    async def chunked(size: int) -> AsyncGenerator[bytes]:
        for _ in range(size // 65_536):
            yield b" " * 65_536

    for speaker, method, path in (
        (backend, "POST", "/v1/notifications"),
        (backend, "POST", "/v1/broadcasts"),
        (backend, "PUT", "/v1/subscribers/ada"),
        (ada, "POST", "/v1/inbox/read-all"),
        (ada, "POST", "/v1/inbox/notifications/notif_00000000000000000000000000/read"),
    ):
        with subtests.test(path=path, how="announced"):
            answer = await speaker.request(method, path, content=large, headers=JSON)
            assert_refused(answer, 413, "payload_too_large", "1048576")
        with subtests.test(path=path, how="chunked"):
            answer = await speaker.request(method, path, content=chunked(2 * MEBIBYTE), headers=JSON)
            assert_refused(answer, 413, "payload_too_large", "1048576")


async def test_a_mebibyte_is_not_too_large(backend: httpx.AsyncClient) -> None:
    body = json.dumps(SEND).encode()
    padded = body + b" " * (MEBIBYTE - len(body))
    assert (await backend.post("/v1/notifications", content=padded, headers=JSON)).status_code == 201


async def test_too_large_is_told_before_the_end_of_it(address: Address, environment: Environment) -> None:
    """Nobody has to send, nor we to hold, what is refused anyway."""
    head = {**environment.management_headers, "Content-Type": "application/json"}
    announced = request("POST", b"/v1/notifications", {**head, "Content-Length": str(1 << 40)})
    assert_refused(await exchange(address, announced), 413, "payload_too_large")
    endless = request("POST", b"/v1/notifications", {**head, "Transfer-Encoding": "chunked"})
    chunk = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
    assert_refused(await exchange(address, endless, *[chunk] * 5), 413, "payload_too_large")


async def test_a_broken_chunk_is_400(address: Address, environment: Environment) -> None:
    head = request(
        "POST",
        b"/v1/notifications",
        {**environment.management_headers, "Transfer-Encoding": "chunked"},
    )
    answer = await exchange(address, head, b"5\r\n{\r\n", b"xyz\r\n", pause_s=0.02)
    assert_refused(answer, 400, "invalid_request")


async def test_a_client_that_leaves_in_the_middle_harms_nobody(
    address: Address, environment: Environment, client: httpx.AsyncClient
) -> None:
    head = request("POST", b"/v1/notifications", {**environment.management_headers, "Content-Length": "100"})
    for _ in range(5):
        _, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(head + b'{"cat')
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await client.get("/readyz")).status_code == 200


async def test_an_empty_body_counts_as_absent(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    """Whatever its content type says."""
    for headers in ({}, {"Content-Type": "text/plain"}, {"Transfer-Encoding": "chunked"}):
        assert (await backend.put("/v1/subscribers/ada", headers=headers)).status_code == 200
        assert (await ada.post("/v1/inbox/read-all", headers=headers)).status_code == 200
        assert_refused(
            await backend.post("/v1/notifications", headers=headers), 400, "invalid_request", "body"
        )


async def test_a_body_nobody_asked_for_is_ignored(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    sent = (await backend.post("/v1/notifications", json=SEND)).json()["notifications"][0]["id"]
    for body in (b"not json", b"\xff\x00", b"x" * MEBIBYTE):
        answer = await ada.post(f"/v1/inbox/notifications/{sent}/read", content=body)
        assert answer.status_code == 204


async def test_malformed_times_of_a_subscriber(backend: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for created_at in (
        "yesterday",
        "2020-01-01T00:00:00",
        "1969-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01",
        5,
        [],
    ):
        with subtests.test(created_at=created_at):
            answer = await backend.put("/v1/subscribers/ada", json={"created_at": created_at})
            assert_refused(answer, 400, "invalid_request", "created_at")
    assert_refused(
        await backend.put("/v1/subscribers/ada", json={"createdAt": "2020-01-01T00:00:00Z"}),
        400,
        "invalid_request",
        "createdAt",
    )


async def test_malformed_broadcasts_and_marks(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    for body, named in (
        ({}, "category"),
        ({"category": ""}, "category"),
        ({"category": "a", "subscriber_id": "ada"}, "subscriber_id"),
        ({"category": "a", "payload": []}, "payload"),
        ({"category": "a", "deliver_at": "2001-01-01T00:00:00Z"}, "deliver_at"),
    ):
        with subtests.test(body=body):
            assert_refused(await backend.post("/v1/broadcasts", json=body), 400, "invalid_request", named)
    assert await rows(pool) == 0
    for up_to, named in (
        ("", "up_to"),
        ("ada", "up_to"),
        ("notif_", "up_to"),
        ("notif_8zzzzzzzzzzzzzzzzzzzzzzzzz", "up_to"),
        ("NOTIF_00000000000000000000000000", "up_to"),
        ("sub_00000000000000000000000000", "up_to"),
        (7, "up_to"),
        ([], "up_to"),
        ({"notification": "bcast_00000000000000000000000000"}, "up_to.notification"),
        ({"broadcast": "notif_00000000000000000000000000"}, "up_to.broadcast"),
        ({"broadcast": 1}, "up_to.broadcast"),
        ({"item": None}, "item"),
    ):
        for action in ("read-all", "seen-all", "archive-all"):
            with subtests.test(action=action, up_to=up_to):
                answer = await ada.post(f"/v1/inbox/{action}", json={"up_to": up_to})
                assert_refused(answer, 400, "invalid_request", named)
