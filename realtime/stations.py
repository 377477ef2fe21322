"""Where the hint plane is listened to: the one node of a Redis, or every node of a cluster."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, cast
from urllib.parse import urlsplit, urlunsplit

import msgspec
from redis.asyncio import RedisCluster

from app import redis
from app.contract import hints
from realtime import link
from realtime.link import Link, LinkError

PROBE_TIMEOUT_S: Final = 2.0


class Node(msgspec.Struct, frozen=True):
    """channels: those whose messages this node carries."""

    url: str
    channels: Sequence[str]
    sharded: bool


class Station:
    """One node, subscribed to, with a second link on which probes are published to it."""

    def __init__(self, node: Node, receive: Callable[[bytes], None], probe: str) -> None:
        self._node = node
        self._receive = receive
        self._probe = probe
        self._probe_payload = probe.encode()
        self._listening: Link
        self._speaking: Link
        # Done when the probe on its way has come back.
        self._arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def losses(self) -> tuple[asyncio.Future[None], ...]:
        """Done, with the error, when the station no longer works."""
        return self._listening.lost, self._speaking.lost

    @classmethod
    @asynccontextmanager
    async def open(
        cls, node: Node, receive: Callable[[bytes], None], probe: str
    ) -> AsyncGenerator["Station"]:
        """probe: a payload of this process alone, which is no envelope.

        Raises OSError, TimeoutError, LinkError.
        """
        station = cls(node, receive, probe)
        station._speaking = await link.connect(node.url, (), receive, sharded=node.sharded)
        try:
            station._listening = await link.connect(node.url, node.channels, receive, sharded=node.sharded)
            try:
                yield station
            finally:
                station._listening.abort()
        finally:
            station._speaking.abort()

    async def probe(self) -> None:
        """Raises TimeoutError where what is published does not arrive, OSError or LinkError on loss."""
        self._arrival = asyncio.get_running_loop().create_future()
        self._listening.receive = self._take  # only for as long as one may come
        self._speaking.publish(self._node.channels[0], self._probe, sharded=self._node.sharded)
        await watch((*self.losses, self._arrival), PROBE_TIMEOUT_S)
        if not self._arrival.done():
            raise TimeoutError("what is published does not arrive")

    def _take(self, payload: bytes) -> None:
        if payload != self._probe_payload:
            self._receive(payload)
        elif not self._arrival.done():
            self._listening.receive = self._receive
            self._arrival.set_result(None)


async def watch(futures: Sequence[asyncio.Future[None]], seconds: float) -> None:
    """Waits for the first of them, or as long as given. Raises what it raises."""
    done, _ = await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for future in done:
        future.result()


async def find_nodes(url: str) -> list[Node]:
    """Where the shard channels are now. Raises OSError, TimeoutError, LinkError."""
    any_node = redis.node_url(url)
    if any_node is None:
        return [Node(url, hints.CHANNELS, sharded=False)]
    by_address: dict[tuple[str, int], list[str]] = {}
    cluster = cast("RedisCluster", redis.connect(url))
    try:
        await cluster.initialize()
        for channel in hints.CHANNELS:
            found = cluster.get_node_from_key(channel)
            if found is None:
                raise LinkError("the cluster does not serve every slot")
            by_address.setdefault((str(found.host), int(found.port)), []).append(channel)
    except redis.AWAY as error:
        raise LinkError(str(error)) from error
    finally:
        with suppress(*redis.AWAY):
            await cluster.aclose()
    return [Node(_at(any_node, *address), channels, sharded=True) for address, channels in by_address.items()]


def _at(url: str, host: str, port: int) -> str:
    """The same URL, credentials and options included, of another node."""
    parts = urlsplit(url)
    credentials, at, _ = parts.netloc.rpartition("@")
    bracketed = f"[{host}]" if ":" in host else host
    return urlunsplit(parts._replace(netloc=f"{credentials}{at}{bracketed}:{port}"))
