"""Connections to Redis that were reset (RST) while nobody used them, as balancers and firewalls do it."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from tests.factories import Environment
from tests.faults.fleet import Fleet
from tests.harness import Stack

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Passage:
    """A way to Redis on which every connection can be reset."""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url)
        self._ends: set[asyncio.StreamWriter] = set()
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncGenerator["Passage"]:
        passage = cls(url)
        server = await asyncio.start_server(passage._accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        passage.url = passage._place._replace(netloc=f"127.0.0.1:{port}").geturl()
        try:
            yield passage
        finally:
            server.close()
            passage.reset()

    def reset(self) -> int:
        """How many there were."""
        ends, self._ends = self._ends, set()
        for end in ends:
            end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()
        return len(ends)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        inner_reader, inner_writer = await asyncio.open_connection(self._place.hostname, self._place.port)
        try:
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        except OSError:
            pass
        finally:
            inner_writer.close()
            self._ends.discard(writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


async def test_resets_end_no_process_and_lose_nothing(
    database_url: str, redis_url: str, environment: Environment
) -> None:
    body = {"subscriber_id": "ada", "category": "news"}
    limits = dict.fromkeys(("BELLWIRE_API_KEY_RATE", "BELLWIRE_SUBSCRIBER_RATE"), "1000")
    async with (
        Passage.open(redis_url) as passage,
        Stack.open(database_url, passage.url, **limits) as stack,
        Fleet.open(stack.socket_url, environment, ["ada"]) as fleet,
        stack.client() as client,
    ):
        processes = (stack.api, stack.gateway, stack.worker)
        for sent in range(1, 10):
            reply = await client.post("/v1/notifications", json=body, headers=environment.management_headers)
            assert reply.status_code == 201
            if sent % 3 == 0:
                await asyncio.sleep(0.1)  # until the hints are out
                assert passage.reset() > 0
                await asyncio.sleep(0.1)  # until both sides know
        await fleet.settled({"ada": 9}, within_s=5)
        assert fleet.all_open
        async with Fleet.open(stack.socket_url, environment, ["bob"]):
            assert [process.role for process in processes if process.running] == ["api", "gateway", "worker"]
        assert [await process.stop() for process in processes] == [0, 0, 0]
        assert not [line for process in processes for line in process.output if "Traceback" in line]
