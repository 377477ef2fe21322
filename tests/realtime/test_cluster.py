"""The hint plane on a Redis Cluster: sharded channels, each on the node that has its slot."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from stack.ports import free_port
from stack.servers import EmbeddedRedis

from app import redis
from app.contract import hints
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.redis import Charge
from app.settings import Settings
from realtime import stations
from realtime.main import serve
from tests.factories import Environment
from tests.harness import eventually
from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest

pytestmark = pytest.mark.faults
NODES, SLOTS = 3, 16_384


@pytest.fixture
def nodes(tmp_path: Path) -> Generator[list[EmbeddedRedis]]:
    settings = {"cluster-enabled": "yes", "cluster-node-timeout": "1000"}
    servers = [
        EmbeddedRedis(tmp_path / str(number), settings={**settings, "cluster-port": str(free_port())})
        for number in range(NODES)
    ]
    for server in servers:
        server.start()
    asyncio.run(form_cluster(servers))
    yield servers
    for server in servers:
        server.stop()


async def form_cluster(servers: list[EmbeddedRedis]) -> None:
    share = SLOTS // len(servers) + 1
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Redis.from_url(server.url)) for server in servers]
        for number, client in enumerate(clients):
            last = min(SLOTS, (number + 1) * share) - 1
            await client.execute_command("CLUSTER ADDSLOTSRANGE", number * share, last)
        for server in servers[1:]:
            bus = server.settings["cluster-port"]
            await clients[0].execute_command("CLUSTER MEET", "127.0.0.1", server.port, bus)

        async def is_whole() -> bool:
            infos: list[Any] = [await client.execute_command("CLUSTER INFO") for client in clients]
            return all(
                (info["cluster_state"], info["cluster_slots_assigned"]) == ("ok", str(SLOTS))
                for info in infos
            )

        await eventually(is_whole, within_s=20)


def cluster_url(nodes: list[EmbeddedRedis]) -> str:
    return nodes[0].url.replace("redis://", "redis+cluster://")


@pytest.fixture
async def cluster_backend(
    nodes: list[EmbeddedRedis], pool: Pool, environment: Environment
) -> AsyncGenerator[Backend]:
    async with redis.connect(cluster_url(nodes)) as client, Publisher.open(pool, client) as publisher:
        yield Backend(environment, pool, publisher)


@pytest.fixture
async def cluster_gateway(
    nodes: list[EmbeddedRedis], settings: Settings, environment: Environment
) -> AsyncGenerator[GatewayUnderTest]:
    settings = msgspec.structs.replace(settings, redis_url=cluster_url(nodes))
    async with serve(settings) as (gateway, address):
        yield GatewayUnderTest(gateway, address, environment)


async def hint_plane_is_up(gateway: GatewayUnderTest) -> bool:
    return b"bellwire_redis_up 1.0" in (await gateway.http("GET /metrics HTTP/1.1\nHost: x"))[2]


async def test_buckets_of_a_cluster_are_charged_together_and_each_on_its_own(
    nodes: list[EmbeddedRedis],
) -> None:
    charges = [Charge(f"bucket-{number % 20}", 0.01, 2) for number in range(60)]
    async with redis.connect(cluster_url(nodes)) as client:
        waits = await redis.take_tokens(client, charges, timeout_s=5)
    assert waits is not None
    assert [wait == 0 for wait in waits] == [True] * 40 + [False] * 20


async def test_a_wake_up_reaches_whoever_listens_at_one_node(nodes: list[EmbeddedRedis]) -> None:
    """As workers do, which are given the cluster's URL."""
    async with (
        redis.connect(cluster_url(nodes)) as client,
        redis.connect_subscriber(cluster_url(nodes)) as subscriber,
        subscriber.pubsub() as subscription,
    ):
        await subscription.subscribe(hints.WAKE_CHANNEL)
        assert await subscription.get_message(timeout=5)
        for _ in range(2 * NODES):
            await redis.wake_workers(client)
            heard = await subscription.get_message(timeout=5)
            assert heard is not None
            assert heard["type"] == "message"


async def test_the_shard_channels_are_spread_over_the_nodes(nodes: list[EmbeddedRedis]) -> None:
    found = await stations.find_nodes(cluster_url(nodes))
    assert len(found) == NODES
    assert sorted(channel for node in found for channel in node.channels) == sorted(hints.CHANNELS)
    assert min(len(node.channels) for node in found) > len(hints.CHANNELS) // (2 * NODES)


async def test_hints_arrive_over_every_node(
    cluster_gateway: GatewayUnderTest, cluster_backend: Backend
) -> None:
    await eventually(lambda: hint_plane_is_up(cluster_gateway))
    people = [f"s{number}" for number in range(30)]
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(cluster_gateway.client(person)) for person in people]
        items = await cluster_backend.notify(*people)
        for client, item in zip(clients, items, strict=True):
            assert await client.next("hint") == {"type": "hint", "reason": "notification", "id": item}
            await client.counts(1, 1)
        await cluster_backend.broadcast()
        for client in clients:
            await client.counts(2, 2)


async def test_a_node_that_dies_delays_counts_and_loses_none(
    cluster_gateway: GatewayUnderTest, cluster_backend: Backend, nodes: list[EmbeddedRedis]
) -> None:
    await eventually(lambda: hint_plane_is_up(cluster_gateway))
    people = [f"s{number}" for number in range(10)]
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(cluster_gateway.client(person)) for person in people]
        await asyncio.to_thread(nodes[2].kill)
        await cluster_backend.notify(*people)
        async with asyncio.timeout(8):
            for client in clients:
                await client.counts(1, 1)
        await asyncio.to_thread(nodes[2].start)
        await eventually(lambda: hint_plane_is_up(cluster_gateway), within_s=20)


async def test_figures_of_processes_meet_on_one_node(nodes: list[EmbeddedRedis]) -> None:
    async with redis.connect(cluster_url(nodes)) as client:
        for process in ("one", "other", "gone"):
            assert await redis.write_figures(client, process, process.encode(), minute=120, created=2)
        await redis.remove_figures(client, "gone")
        found = await redis.read_figures(client, minute=121)
        assert found is not None
        assert sorted(found.processes) == [b"one", b"other"]
        assert found.created == {120: 6}
