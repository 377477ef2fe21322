"""Server-sent events on the API's port, as a browser without websockets gets them."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlencode

import httpx

from tests.factories import Environment
from tests.harness import Stack, eventually


class Stream:
    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def event(self) -> dict[str, str]:
        """The next event's fields; comments are passed over."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for line in self._lines:
                if not line and fields:
                    return fields
                name, colon, value = line.partition(": ")
                if colon and name:
                    fields[name] = value
        raise AssertionError("the stream ended")


@asynccontextmanager
async def following(
    client: httpx.AsyncClient, environment: Environment, **headers: str
) -> AsyncGenerator[Stream]:
    async with client.stream(
        "GET", "/v1/inbox/stream", headers={**environment.subscriber_headers("ada"), **headers}
    ) as response:
        yield Stream(response)


async def send(client: httpx.AsyncClient, environment: Environment) -> None:
    reply = await client.post(
        "/v1/notifications",
        json={"subscriber_id": "ada", "category": "c"},
        headers=environment.management_headers,
    )
    assert reply.status_code == 201


async def test_a_stream_opens_with_counts_and_follows_them(stack: Stack, environment: Environment) -> None:
    async with stack.client() as client, following(client, environment) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream"
        assert stream.response.headers["x-accel-buffering"] == "no"
        first = await stream.event()
        assert first["event"] == "counts"
        assert '"unread":0' in first["data"]
        await send(client, environment)
        events = [await stream.event(), await stream.event()]
        assert {event["event"] for event in events} == {"hint", "counts"}
        by_name = {event["event"]: event for event in events}
        assert by_name["hint"]["data"] == '{"reason":"notification"}'
        assert '"unread":1' in by_name["counts"]["data"]


async def test_who_comes_back_hears_of_what_was_missed(stack: Stack, environment: Environment) -> None:
    async with stack.client() as client:
        async with following(client, environment) as stream:
            token = (await stream.event())["id"]
        await send(client, environment)
        async with following(client, environment, **{"Last-Event-ID": token}) as stream:
            events = [await stream.event(), await stream.event()]
            assert '{"reason":"resume"}' in {event["data"] for event in events}


async def test_head_answers_at_once_and_a_ninth_stream_is_one_too_many(
    stack: Stack, environment: Environment
) -> None:
    headers = environment.subscriber_headers("ada")
    async with stack.client() as client, AsyncExitStack() as opened:
        head = await client.head("/v1/inbox/stream", headers=headers)
        assert head.status_code == 200
        streams = [await opened.enter_async_context(following(client, environment)) for _ in range(8)]
        for stream in streams:
            await stream.event()
        async with client.stream("GET", "/v1/inbox/stream", headers=headers) as refused:
            assert refused.status_code == 429
            assert "retry-after" in refused.headers
            assert b"too_many_connections" in await refused.aread()


async def test_a_stream_ends_with_its_connection_also_where_another_request_waits_behind_it(
    stack: Stack, environment: Environment
) -> None:
    host, _, port = (stack.api.address or "").rpartition(":")
    query = urlencode(environment.subscriber_query("ada"))
    head = f"GET /v1/inbox/stream?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    async with stack.client() as client:

        async def streams() -> float:
            shown = (await client.get("/metrics")).text
            return float(shown.partition("\nbellwire_connections ")[2].split()[0])

        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head)
        await reader.readuntil(b"event: counts")
        assert await streams() == 1
        writer.write(head)
        await writer.drain()
        await asyncio.sleep(0.1)  # it has arrived, and waits
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()
        await asyncio.sleep(0.1)
        await send(client, environment)  # what is written finds out that nobody is there
        await eventually(streams, (0.0).__eq__)


async def test_a_leaving_server_says_when_to_come_back(stack: Stack, environment: Environment) -> None:
    async with stack.client() as client, following(client, environment) as stream:
        await stream.event()
        stopping = asyncio.create_task(stack.api.stop())
        assert "retry" in await stream.event()
        assert await stopping == 0


async def test_where_to_go_on_from_is_said_once(stack: Stack, environment: Environment) -> None:
    """Also where the header, which goes before the query, says it too."""
    headers = {**environment.subscriber_headers("ada"), "Last-Event-ID": "a"}
    async with stack.client() as client:
        refused = await client.get("/v1/inbox/stream?last_event_id=a&last_event_id=a", headers=headers)
    assert refused.status_code == 400
    assert "last_event_id" in refused.json()["error"]["message"]
