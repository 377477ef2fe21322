"""Streams, pulled as the API's route pulls them, over real PostgreSQL and Redis."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import pytest

from app.contract.errors import TooManyConnections, Unavailable
from app.db.pool import Pool
from app.settings import Settings
from realtime.sse import Streams, open_streams
from tests.realtime.backend import Backend
from tests.realtime.clients import TIMEOUT_S


class Event(msgspec.Struct, frozen=True):
    name: str
    data: str
    id: str


class Reader:
    """One stream, event by event."""

    def __init__(self, chunks: AsyncGenerator[bytes]) -> None:
        self.chunks = chunks
        self._text = ""

    async def next(self) -> Event:
        async with asyncio.timeout(TIMEOUT_S):
            while "\n\n" not in self._text:
                self._text += (await anext(self.chunks)).decode()
        block, _, self._text = self._text.partition("\n\n")
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        return Event(fields.get("event", ""), fields.get("data", ""), fields.get("id", ""))

    async def end(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            async for _ in self.chunks:
                pass


@pytest.fixture
async def streams(pool: Pool, settings: Settings) -> AsyncGenerator[Streams]:
    async with open_streams(pool, settings) as opened:
        yield opened


@asynccontextmanager
async def reading(
    streams: Streams, backend: Backend, subscriber_id: str, last_event_id: str | None = None
) -> AsyncGenerator[Reader]:
    chunks = await streams.open(backend.identity(subscriber_id), last_event_id)
    try:
        yield Reader(chunks)
    finally:
        await chunks.aclose()


async def test_a_stream_opens_with_the_counts_and_tells_hints_and_counts(
    streams: Streams, backend: Backend
) -> None:
    await backend.notify("ann")
    async with reading(streams, backend, "ann") as reader:
        opening = await reader.next()
        counts = await backend.counts("ann")
        assert opening.name == "counts"
        assert msgspec.json.decode(opening.data) == {"unread": 1, "unseen": 1, "version": counts.version}
        await backend.notify("ann")
        events = {event.name: event for event in (await reader.next(), await reader.next())}
        assert msgspec.json.decode(events["hint"].data) == {"reason": "notification"}
        assert msgspec.json.decode(events["counts"].data)["unread"] == 2


async def test_hints_of_a_burst_are_one_at_once_and_one_a_second_later(
    streams: Streams, backend: Backend
) -> None:
    async def burst() -> None:
        for _ in range(20):
            await backend.notify("ann")
        await backend.broadcast()

    loop = asyncio.get_running_loop()
    async with reading(streams, backend, "ann") as reader:
        await reader.next()
        sending = asyncio.create_task(burst())
        first, begun = await next_hint(reader), loop.time()
        last = await next_hint(reader)
        await sending
        assert loop.time() - begun > 0.9
        assert [msgspec.json.decode(event.data)["reason"] for event in (first, last)] == [
            "notification",
            "broadcast",
        ]


async def test_who_comes_back_is_told_whether_anything_happened_meanwhile(
    streams: Streams, backend: Backend
) -> None:
    async with reading(streams, backend, "ann") as reader:
        seen = (await reader.next()).id
    async with reading(streams, backend, "ann", last_event_id=seen) as reader:
        assert (await reader.next()).id == seen
        await backend.notify("ann")
        assert msgspec.json.decode((await next_hint(reader)).data) == {"reason": "notification"}
    for last_event_id in (seen, "nonsense", "é", "\udc80"):
        async with reading(streams, backend, "ann", last_event_id=last_event_id) as reader:
            assert msgspec.json.decode((await next_hint(reader)).data) == {"reason": "resume"}


async def test_a_ninth_stream_of_one_subscriber_is_refused_before_it_begins(
    streams: Streams, backend: Backend
) -> None:
    opened = [await streams.open(backend.identity("ann"), None) for _ in range(8)]
    with pytest.raises(TooManyConnections) as refused:
        await streams.open(backend.identity("ann"), None)
    assert refused.value.retry_after_s == 60
    await anext(opened[0])
    await opened[0].aclose()
    async with reading(streams, backend, "ann") as reader:
        await reader.next()
    for chunks in opened[1:]:
        await anext(chunks)
        await chunks.aclose()


async def test_an_erased_subscriber_s_stream_ends(streams: Streams, backend: Backend) -> None:
    async with reading(streams, backend, "ann") as reader:
        await reader.next()
        await backend.erase("ann")
        await reader.end()


async def test_before_a_drain_everyone_is_told_when_to_come_back(streams: Streams, backend: Backend) -> None:
    async with reading(streams, backend, "ann") as reader:
        await reader.next()
        streams.drain()
        event = await reader.next()
        assert event.name == "retry"
        assert 0 <= int(event.data) < 60_000
        await reader.end()
    with pytest.raises(Unavailable):
        await streams.open(backend.identity("ann"), None)


async def test_a_stream_that_nobody_reads_ends_by_itself(streams: Streams, backend: Backend) -> None:
    chunks = await streams.open(backend.identity("ann"), None)
    assert await anext(chunks)
    [stream] = streams.active
    stream.ping()
    assert await anext(chunks) == b": ping\n\n"
    stream.ping()
    stream.ping()
    assert stream.audience is None
    async with asyncio.timeout(TIMEOUT_S):
        assert [chunk async for chunk in chunks] == [b": ping\n\n"]


async def next_hint(reader: Reader) -> Event:
    while (event := await reader.next()).name != "hint":
        pass
    return event
