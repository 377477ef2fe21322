"""What a client may not do, and the code it is told."""

import asyncio
from contextlib import AsyncExitStack, suppress

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app import redis
from app.services.rate_limits import RateLimits
from app.settings import Settings
from realtime import connection
from realtime.main import serve
from tests.factories import Environment
from tests.realtime.clients import GatewayUnderTest


async def test_a_ninth_socket_of_one_subscriber_closes_with_4009(gateway: GatewayUnderTest) -> None:
    async with AsyncExitStack() as open_sockets:
        for _ in range(8):
            await open_sockets.enter_async_context(gateway.client("ann"))
        await open_sockets.enter_async_context(gateway.client("bob"))
        async with gateway.socket(gateway.environment.subscriber_query("ann")) as ninth:
            assert (await ninth.closed())[0] == 4009
    async with gateway.client("ann"):
        pass


async def test_nine_sockets_at_the_same_instant_are_eight_and_one(gateway: GatewayUnderTest) -> None:
    async def outcome() -> int:
        async with gateway.socket(gateway.environment.subscriber_query("ann")) as client:
            [first] = await asyncio.gather(client.next(), return_exceptions=True)
            await everyone.wait()
            return 0 if isinstance(first, dict) else (await client.closed())[0]

    everyone = asyncio.Barrier(9)
    assert sorted(await asyncio.gather(*(outcome() for _ in range(9)))) == [*[0] * 8, 4009]


async def test_a_subscriber_without_a_rate_token_left_closes_with_4008(
    settings: Settings, environment: Environment, redis_url: str
) -> None:
    settings = msgspec.structs.replace(settings, subscriber_rate=0.01, subscriber_burst=2)
    async with redis.connect(redis_url) as client:
        charge = RateLimits(client, settings).charge_subscriber
        async with serve(settings, charge=charge) as (server, address):
            gateway = GatewayUnderTest(server, address, environment)
            async with (
                gateway.client("ann"),
                gateway.client("ann"),
                gateway.client("bob"),
                gateway.socket(environment.subscriber_query("ann")) as third,
            ):
                assert (await third.closed())[0] == 4008


async def test_a_full_gateway_answers_503_and_still_tells_its_health(
    settings: Settings, environment: Environment
) -> None:
    async with serve(msgspec.structs.replace(settings, max_connections=1)) as (server, address):
        gateway = GatewayUnderTest(server, address, environment)
        async with gateway.client("ann"):
            with pytest.raises(InvalidStatus) as refused:
                async with gateway.socket():
                    pass
            response = refused.value.response
            assert response.status_code == 503
            assert response.headers["Retry-After"] == "1"
            assert (await gateway.http("GET /healthz HTTP/1.1\nHost: x"))[0] == 200


async def test_a_flood_of_frames_closes_with_4008(gateway: GatewayUnderTest) -> None:
    async with gateway.client("ann") as client:
        for _ in range(30):
            await client.send({"type": "ping"})
        assert (await client.closed())[0] == 4008
        assert len(client.of_type("pong")) == 20


async def test_a_flood_of_protocol_pings_closes_with_4008(gateway: GatewayUnderTest) -> None:
    async with gateway.client("ann") as client:
        for number in range(30):
            await client.socket.ping(str(number))
        assert (await client.closed())[0] == 4008


async def test_a_flood_of_pongs_nobody_asked_for_closes_with_4008(gateway: GatewayUnderTest) -> None:
    async with gateway.client("ann") as client:
        with suppress(ConnectionClosed):
            for _ in range(30):
                await client.socket.pong()
                await asyncio.sleep(0.001)  # each by itself
        assert (await client.closed())[0] == 4008


async def test_frames_outside_the_protocol_end_the_socket(gateway: GatewayUnderTest) -> None:
    cases: list[tuple[str | bytes, int, str]] = [
        ('{"type":"nonsense"}', 4500, "nonsense"),
        ('{"type":"refresh"}', 4500, "`token`"),
        ('{"type":"ping","' + "é" * 100 + '":1}', 4500, "unknown field `éé"),
        ("{", 4500, "truncated"),
        (b"\x00", 1003, ""),
        ('{"type":"ping"}' + " " * 4096, 1009, ""),
    ]
    for frame, code, named in cases:
        async with gateway.client("ann") as client:
            await client.send(frame)
            closed, reason = await client.closed()
            assert closed == code, frame
            assert named in reason


async def test_a_fragmented_frame_counts_as_one_whole(gateway: GatewayUnderTest) -> None:
    async with gateway.client("ann") as client:
        await client.socket.send(['{"type":', '"pi', 'ng"}'])
        assert await client.next() == {"type": "pong"}
        await client.socket.send(["x" * 3000, "x" * 3000])
        assert (await client.closed())[0] == 1009


async def test_who_never_authenticates_is_closed_with_4503(
    gateway: GatewayUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_S", 0.05)
    async with gateway.socket() as client:
        assert (await client.closed())[0] == 4503
    reader, writer = await asyncio.open_connection(gateway.address.host, gateway.address.port)
    writer.write(b"GET /v1/inbox/ws HT")
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_an_origin_that_is_not_allowed_closes_with_4506(
    settings: Settings, environment: Environment
) -> None:
    settings = msgspec.structs.replace(settings, allowed_origins=("https://app.example.com",))
    async with serve(settings) as (server, address):
        gateway = GatewayUnderTest(server, address, environment)
        query = environment.subscriber_query("ann")
        async with gateway.socket(query, origin="https://evil.example.com") as client:
            assert (await client.closed())[0] == 4506
        for origin in ("https://app.example.com", None):
            async with gateway.socket(query, origin=origin) as client:
                assert (await client.next())["type"] == "ready"
