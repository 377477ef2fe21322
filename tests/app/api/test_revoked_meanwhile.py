"""What a key or a proof may not do any more it cannot do by a request that is under way either."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from app.api import request as api_request
from app.db import environments
from app.db.pool import Pool
from app.settings import Address
from tests.app.api.wire import Answer, assert_refused, begun, request
from tests.factories import Environment
from tests.harness import eventually

JSON = {"Content-Type": "application/json"}
IMPORT = b"/v1/subscribers/import"
NDJSON = {"Content-Type": "application/x-ndjson"}
SEND = b'{"subscriber_id":"ada","category":"news"}'
MUTE = b'{"preferences":[{"category":"news","channel":"in_app","enabled":false}]}'


def people(first: int, count: int) -> bytes:
    return b"".join(b'{"subscriber_id":"person %d"}\n' % number for number in range(first, first + count))


async def subscribers(pool: Pool) -> int:
    return await pool.fetchval("SELECT count(*) FROM subscribers")


async def revoke(pool: Pool, backend: httpx.AsyncClient) -> None:
    """Until it has taken effect, and a proof of before has aged."""
    await pool.execute("UPDATE api_keys SET revoked_at = now()")

    async def refused() -> bool:
        return (await backend.get("/v1/subscribers")).status_code == 401

    await eventually(refused)
    await asyncio.sleep(api_request.PROOF_S)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", b"/v1/notifications", SEND),
        ("POST", b"/v1/broadcasts", b'{"category":"news"}'),
        ("PUT", b"/v1/subscribers/ada", b"{}"),
        ("POST", b"/v1/subscribers/ada/tokens", b"{}"),
        ("PUT", b"/v1/subscribers/ada/preferences", MUTE),
        ("POST", IMPORT, people(0, 2)),
    ],
)
async def test_no_body_is_acted_on_that_ended_after_its_key_was_revoked(
    *,
    method: str,
    path: bytes,
    body: bytes,
    address: Address,
    reading: asyncio.Event,
    backend: httpx.AsyncClient,
    environment: Environment,
    pool: Pool,
) -> None:
    kind = NDJSON if path == IMPORT else JSON
    whole = request(method, path, {**environment.management_headers, **kind}, body)
    async with begun(address, whole[:-1]) as finish:
        await asyncio.wait_for(reading.wait(), 10)
        await revoke(pool, backend)
        assert_refused(await finish(whole[-1:]), 401, "unauthorized")
    assert await subscribers(pool) == 0
    assert await pool.fetchval("SELECT count(*) FROM broadcasts") == 0


async def test_an_import_ends_with_its_key_and_what_was_committed_stays(
    address: Address, backend: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    """Though most of it is still to come."""
    headers = {**environment.management_headers, **NDJSON, "Content-Length": "1000000"}
    async with begun(address, request("POST", IMPORT, headers) + people(0, 1500)) as finish:
        await eventually(lambda: subscribers(pool), lambda count: count == 1000)
        await revoke(pool, backend)
        assert_refused(await finish(people(1500, 1500)), 401, "unauthorized")
    assert await subscribers(pool) == 1000


async def test_a_body_that_takes_long_is_acted_on_where_the_key_still_holds(
    address: Address, reading: asyncio.Event, environment: Environment
) -> None:
    whole = request("POST", b"/v1/notifications", {**environment.management_headers, **JSON}, SEND)
    async with begun(address, whole[:-1]) as finish:
        await asyncio.wait_for(reading.wait(), 10)
        await asyncio.sleep(2 * api_request.PROOF_S)
        assert (await finish(whole[-1:])).status_code == 201


async def put_preferences(
    address: Address,
    reading: asyncio.Event,
    headers: Mapping[str, str],
    *,
    others: Mapping[str, str],
    last: bytes = MUTE[-1:],
) -> Answer:
    """Begun with these headers; its last byte comes once the others, somebody else's, are refused."""
    whole = request("PUT", b"/v1/inbox/preferences", {**headers, **JSON}, MUTE)

    async def refused() -> bool:
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=30, trust_env=False) as client:
            return (await client.get("/v1/inbox/counts", headers=others)).status_code == 401

    async with begun(address, whole[:-1]) as finish:
        await asyncio.wait_for(reading.wait(), 10)
        await eventually(refused)
        await asyncio.sleep(api_request.PROOF_S)
        return await finish(last)


async def count(pool: Pool, subscriber_id: str) -> int:
    return await pool.fetchval("SELECT count(*) FROM subscribers WHERE subscriber_id = $1", subscriber_id)


@pytest.mark.parametrize("last", [b"}", b"]"], ids=["whole", "malformed"])
async def test_nothing_comes_of_a_proof_by_a_secret_that_was_rotated_out_meanwhile(
    *, last: bytes, address: Address, reading: asyncio.Event, environment: Environment, pool: Pool
) -> None:
    """Not even the subscriber, whom a request that fails for another reason leaves."""
    ada, bob = environment.subscriber_headers("ada"), environment.subscriber_headers("bob")
    answer = asyncio.create_task(put_preferences(address, reading, ada, others=bob, last=last))
    await asyncio.wait_for(reading.wait(), 10)
    async with pool.acquire() as connection:
        await environments.rotate_secret(connection, environment.id, "bws_next")
        await environments.forget_previous_secret(connection, environment.id)
    assert_refused(await answer, 401, "unauthorized")
    assert await count(pool, "ada") == 0


async def test_nothing_comes_of_a_request_without_the_proof_that_is_required_meanwhile(
    address: Address, reading: asyncio.Event, environment: Environment, pool: Pool
) -> None:
    ada, bob = (
        {"X-Bellwire-Environment": environment.slug, "X-Bellwire-Subscriber": name} for name in ("ada", "bob")
    )
    await pool.execute("UPDATE environments SET require_subscriber_hash = false")
    answer = asyncio.create_task(put_preferences(address, reading, ada, others=bob))
    await asyncio.wait_for(reading.wait(), 10)
    await pool.execute("UPDATE environments SET require_subscriber_hash = true")
    assert_refused(await answer, 401, "unauthorized")
    assert await count(pool, "ada") == 0
