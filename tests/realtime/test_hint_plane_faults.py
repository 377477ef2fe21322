"""Redis stopped, frozen, killed over and over: clients are late, never wrong."""

import asyncio
import contextlib
import functools
import random
import socket
import struct
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import msgspec
import pytest
from stack.servers import EmbeddedRedis

from app import redis
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.settings import Settings
from realtime.main import serve
from tests.factories import Environment
from tests.harness import eventually
from tests.realtime.backend import Backend
from tests.realtime.clients import Client, GatewayUnderTest, agree, shown

pytestmark = pytest.mark.faults
AWAY_PROMISE_S = 5.0
GAP_PROMISE_S = 10.0


@pytest.fixture
def own_redis(tmp_path: Path) -> Generator[EmbeddedRedis]:
    """A Redis of this test, not yet started."""
    server = EmbeddedRedis(tmp_path / "redis", with_password=True)
    yield server
    server.stop()


@pytest.fixture
async def own_gateway(
    settings: Settings, own_redis: EmbeddedRedis, environment: Environment
) -> AsyncGenerator[GatewayUnderTest]:
    settings = msgspec.structs.replace(settings, redis_url=own_redis.url)
    async with serve(settings) as (gateway, address):
        yield GatewayUnderTest(gateway, address, environment)


@pytest.fixture
async def own_backend(
    pool: Pool, own_redis: EmbeddedRedis, environment: Environment
) -> AsyncGenerator[Backend]:
    async with redis.connect(own_redis.url) as client, Publisher.open(pool, client) as publisher:
        yield Backend(environment, pool, publisher)


async def hint_plane_is_up(gateway: GatewayUnderTest) -> bool:
    _, _, body = await gateway.http("GET /metrics HTTP/1.1\nHost: x")
    return b"bellwire_redis_up 1.0" in body


async def test_a_gateway_boots_without_redis_and_clients_get_their_counts(
    own_gateway: GatewayUnderTest, own_backend: Backend, own_redis: EmbeddedRedis
) -> None:
    assert (await own_gateway.http("GET /readyz HTTP/1.1\nHost: x"))[0] == 200
    async with own_gateway.client("ann") as client:
        await own_backend.notify("ann")
        async with asyncio.timeout(AWAY_PROMISE_S):
            assert await client.next("hint") == {"type": "hint", "reason": "resync"}
            await client.counts(1, 1)
        own_redis.start()
        await eventually(lambda: hint_plane_is_up(own_gateway))
        await eventually(lambda: is_hinted(own_backend, client))


async def is_hinted(backend: Backend, client: Client) -> bool:
    """Whether one more notification is hinted by its id: the publisher too has found that Redis is back."""
    [item] = await backend.notify("ann")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            while (await client.next("hint")).get("id") != item:
                pass
            return True
    return False


async def test_a_frozen_redis_is_noticed_though_its_connections_stay_open(
    own_gateway: GatewayUnderTest, own_backend: Backend, own_redis: EmbeddedRedis
) -> None:
    own_redis.start()
    await eventually(lambda: hint_plane_is_up(own_gateway))
    async with own_gateway.client("ann") as client:
        own_redis.pause()
        await own_backend.notify("ann")
        async with asyncio.timeout(GAP_PROMISE_S):
            await client.counts(1, 1)
        own_redis.resume()
        await eventually(lambda: hint_plane_is_up(own_gateway), within_s=GAP_PROMISE_S)


async def test_redis_killed_ten_times_under_traffic_leaves_every_count_right(
    own_gateway: GatewayUnderTest, own_backend: Backend, own_redis: EmbeddedRedis
) -> None:
    people = [f"s{number}" for number in range(20)]
    own_redis.start()
    await eventually(lambda: hint_plane_is_up(own_gateway))
    async with contextlib.AsyncExitStack() as sockets:
        clients = {person: await sockets.enter_async_context(own_gateway.client(person)) for person in people}
        readers = [asyncio.create_task(read_on(client)) for client in clients.values()]
        changes = 0
        for _ in range(10):
            own_redis.kill()
            for _ in range(5):
                await own_backend.notify(*random.sample(people, 10))
                await own_backend.broadcast()
                changes += 2
            await asyncio.to_thread(own_redis.start)
            await own_backend.notify(*random.sample(people, 10))
            changes += 1
        for person, client in clients.items():
            await eventually(
                functools.partial(shown, client),
                functools.partial(agree, await own_backend.counts(person)),
                within_s=GAP_PROMISE_S,
            )
            # No storm: at most a frame for each change, and a sweep's resync every two seconds.
            assert len(client.of_type("counts")) <= changes
            assert len(client.of_type("hint")) <= changes + 60
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


async def read_on(client: Client) -> None:
    while True:
        await client.next()


async def test_a_wrong_password_is_a_hint_plane_that_is_away(
    settings: Settings, own_redis: EmbeddedRedis, environment: Environment, backend: Backend
) -> None:
    own_redis.start()
    url = f"redis://:wrong@127.0.0.1:{own_redis.port}/0"
    async with serve(msgspec.structs.replace(settings, redis_url=url)) as (server, address):
        gateway = GatewayUnderTest(server, address, environment)
        async with gateway.client("ann") as client:
            await backend.notify("ann")
            async with asyncio.timeout(AWAY_PROMISE_S):
                await client.counts(1, 1)


async def test_what_is_not_a_redis_is_a_hint_plane_that_is_away(
    settings: Settings, environment: Environment, backend: Backend
) -> None:
    async def talk_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        # Reset rather than closed, as a load balancer would.
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    stranger = await asyncio.start_server(talk_nonsense, "127.0.0.1", 0)
    async with stranger:
        url = f"redis://127.0.0.1:{stranger.sockets[0].getsockname()[1]}/0"
        async with serve(msgspec.structs.replace(settings, redis_url=url)) as (server, address):
            gateway = GatewayUnderTest(server, address, environment)
            async with gateway.client("ann") as client:
                await backend.notify("ann")
                async with asyncio.timeout(AWAY_PROMISE_S):
                    await client.counts(1, 1)
