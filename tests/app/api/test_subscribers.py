"""PUT /v1/subscribers/{id}: creates once; ids are any bytes of UTF-8."""

import httpx
import pytest

from app.db.pool import Pool
from app.settings import Address
from tests.app.api.wire import assert_refused, exchange, request
from tests.factories import Environment


async def test_created_at_applies_on_first_create_only(backend: httpx.AsyncClient) -> None:
    first = await backend.put("/v1/subscribers/ada", json={"created_at": "2020-02-03T04:05:06.7+02:00"})
    assert first.status_code == 200
    assert first.json() == {"subscriber_id": "ada", "created_at": "2020-02-03T02:05:06.700000Z"}
    for body in ({"created_at": "2021-01-01T00:00:00Z"}, {"created_at": None}, {}):
        again = await backend.put("/v1/subscribers/ada", json=body)
        assert again.content == first.content


async def test_ids_are_decoded_once_and_kept_apart(
    address: Address, environment: Environment, pool: Pool, subtests: pytest.Subtests
) -> None:
    wanted = {
        b"a%2Fb": "a/b",
        b"a%3Fb": "a?b",
        b"a%252Fb": "a%2Fb",
        b"%C3%A9": "é",
        b"%F0%9F%94%94": "🔔",
        b"%20": " ",
        b"a+b": "a+b",
        b"a%2Bc": "a+c",
        b"%2E": ".",
        b"..": "..",
        b"%2e%2e%2f": "../",
        b"a:b@c;d=e,f!$&'()*": "a:b@c;d=e,f!$&'()*",
        b"%7Bx%7D": "{x}",
        b"import": "import",
        b"x" * 255: "x" * 255,
        b"%C3%A9" * 127: "é" * 127,
    }
    for target, subscriber_id in wanted.items():
        with subtests.test(target=target[:40]):
            answer = await exchange(
                address, request("PUT", b"/v1/subscribers/" + target, environment.management_headers)
            )
            assert answer.status_code == 200
            body = answer.json()
            assert isinstance(body, dict)
            assert body["subscriber_id"] == subscriber_id
    found = {row[0] for row in await pool.fetch("SELECT subscriber_id FROM subscribers")}
    assert found == set(wanted.values())


async def test_an_id_over_255_bytes_is_400(backend: httpx.AsyncClient) -> None:
    for target in ("x" * 256, "%C3%A9" * 128):
        assert_refused(
            await backend.put(f"/v1/subscribers/{target}"), 400, "invalid_request", "subscriber_id"
        )
