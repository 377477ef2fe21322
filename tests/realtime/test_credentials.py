"""Who gets in, and how those who do not are told: by close code, as browsers see no HTTP status."""

import time
from collections.abc import Mapping
from urllib.parse import quote

from app.db.pool import Pool
from app.security import proofs
from tests.factories import Environment, make_environment
from tests.realtime.clients import GatewayUnderTest


def token(
    environment: Environment, subscriber_id: str = "ann", *, ttl_s: int = 60, slug: str = "acme"
) -> str:
    return proofs.mint_token(
        environment.secret,
        subscriber_id=subscriber_id,
        environment=slug,
        expires_at=int(time.time()) + ttl_s,
    )


async def refusal(gateway: GatewayUnderTest, query: Mapping[str, str]) -> tuple[int, str]:
    async with gateway.socket(query) as client:
        return await client.closed()


async def test_a_hash_in_the_query_opens_the_inbox(gateway: GatewayUnderTest) -> None:
    async with gateway.socket(gateway.environment.subscriber_query("ann & b%c+d é")) as client:
        assert (await client.next())["type"] == "ready"


async def test_a_hash_in_headers_opens_the_inbox(gateway: GatewayUnderTest) -> None:
    headers = gateway.environment.subscriber_headers("ann%é")
    headers["X-Bellwire-Subscriber"] = quote("ann%é")
    async with gateway.socket(headers=headers) as client:
        assert (await client.next())["type"] == "ready"


async def test_a_token_alone_opens_the_inbox_wherever_it_stands(gateway: GatewayUnderTest) -> None:
    proof = token(gateway.environment)
    async with gateway.socket({"token": proof}) as client:
        assert (await client.next())["type"] == "ready"
    async with gateway.socket(headers={"Authorization": f"Bearer {proof}"}) as client:
        assert (await client.next())["type"] == "ready"
    async with gateway.socket() as client:
        await client.send({"type": "connect", "token": proof})
        assert (await client.next())["type"] == "ready"


async def test_the_first_frame_opens_the_inbox(gateway: GatewayUnderTest) -> None:
    async with gateway.socket() as client:
        await client.send({"type": "ping"})
        assert await client.next() == {"type": "pong"}
        await client.send({"type": "connect", **gateway.environment.subscriber_query("ann")})
        assert (await client.next())["type"] == "ready"
        await client.send({"type": "connect", **gateway.environment.subscriber_query("ann")})
        assert (await client.closed())[0] == 4500


async def test_the_alias_headers_open_the_inbox(gateway: GatewayUnderTest) -> None:
    headers = gateway.environment.subscriber_headers("ann")
    aliases = {name.replace("Bellwire", "Chimely"): value for name, value in headers.items()}
    async with gateway.socket(headers=aliases) as client:
        assert (await client.next())["type"] == "ready"


async def test_an_environment_without_proofs_takes_anyone_but_not_a_wrong_proof(
    gateway: GatewayUnderTest, pool: Pool
) -> None:
    await make_environment(pool, "open", require_subscriber_hash=False)
    async with gateway.socket({"environment": "open", "subscriber_id": "ann"}) as client:
        assert (await client.next())["type"] == "ready"
    wrong = {"environment": "open", "subscriber_id": "ann", "subscriber_hash": "00"}
    assert (await refusal(gateway, wrong))[0] == 4501


async def test_bad_credentials_close_with_4501(gateway: GatewayUnderTest) -> None:
    for change in (
        {"subscriber_hash": "00" * 32},
        {"subscriber_hash": ""},
        {"environment": "nowhere"},
        {"environment": ""},
        {"subscriber_id": ""},
        {"subscriber_id": "x" * 256},
        {"subscriber_id": "a\0b"},
        {"token": "not.a.token"},
    ):
        query = {**gateway.environment.subscriber_query("ann"), **change}
        assert (await refusal(gateway, query))[0] == 4501, change


async def test_badly_encoded_credentials_close_with_4501(gateway: GatewayUnderTest) -> None:
    for query in ("subscriber_id=%ff", "subscriber_id=%zz", "token=a&token=b", "%74oken=a&token=b"):
        status, _, frames = await gateway.http(
            f"GET /v1/inbox/ws?{query} HTTP/1.1\nHost: x\nUpgrade: websocket\nConnection: Upgrade\n"
            "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        )
        assert (status, frames[0], int.from_bytes(frames[2:4])) == (101, 0x88, 4501), query


async def test_an_expired_token_closes_with_4002(gateway: GatewayUnderTest) -> None:
    assert (await refusal(gateway, {"token": token(gateway.environment, ttl_s=-1)}))[0] == 4002


async def test_a_token_of_another_subscriber_or_environment_than_named_closes_with_4501(
    gateway: GatewayUnderTest,
) -> None:
    proof = token(gateway.environment)
    assert (await refusal(gateway, {"token": proof, "subscriber_id": "bob"}))[0] == 4501
    assert (await refusal(gateway, {"token": proof, "environment": "other"}))[0] == 4501
    assert (await refusal(gateway, {"token": token(gateway.environment, slug="nowhere")}))[0] == 4501


async def test_a_refused_client_leaves_nothing_behind(gateway: GatewayUnderTest, pool: Pool) -> None:
    query = {**gateway.environment.subscriber_query("ann"), "subscriber_hash": "00"}
    await refusal(gateway, query)
    assert await pool.fetchval("SELECT count(*) FROM subscribers") == 0
