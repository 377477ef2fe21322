"""From one POST to a lit bell: real processes, real sockets."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import websockets

from tests.factories import Environment
from tests.harness import Stack, eventually

Frame = dict[str, Any]


class Socket:
    """A websocket client that notes when each frame came."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection
        self.frames: list[tuple[float, Frame]] = []

    @classmethod
    @asynccontextmanager
    async def open(
        cls, stack: Stack, environment: Environment, subscriber_id: str
    ) -> AsyncGenerator["Socket"]:
        """Past `ready`."""
        query = urlencode(environment.subscriber_query(subscriber_id))
        async with websockets.connect(f"{stack.socket_url}?{query}", compression=None) as connection:
            socket = cls(connection)
            await socket.frame("ready")
            reader = asyncio.create_task(socket._read())
            try:
                yield socket
            finally:
                reader.cancel()

    async def frame(self, kind: str) -> Frame:
        frame = msgspec.json.decode(await self._connection.recv(), type=Frame)
        assert frame["type"] == kind
        return frame

    async def _read(self) -> None:
        async for data in self._connection:
            self.frames.append((time.monotonic(), msgspec.json.decode(data, type=Frame)))

    async def received(self, kind: str, within_s: float = 5.0, **fields: object) -> float:
        """When a frame with these fields came (monotonic seconds), waiting for it if need be."""
        deadline = time.monotonic() + within_s
        while True:
            for moment, frame in self.frames:
                if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                    return moment
            assert time.monotonic() < deadline, f"no {kind} {fields} among {[f for _, f in self.frames]}"
            await asyncio.sleep(0.002)

    def hints(self) -> list[Frame]:
        return [frame for _, frame in self.frames if frame["type"] == "hint"]

    def knows(self, items: set[str]) -> Callable[[], Awaitable[bool]]:
        """Whether every item was named in a hint, or a resync came, and the counts include them all."""

        async def known() -> bool:
            named = {hint.get("id") for hint in self.hints()}
            resynced = any(hint["reason"] == "resync" for hint in self.hints())
            unread = [frame["unread"] for _, frame in self.frames if frame["type"] == "counts"]
            return (items <= named or resynced) and unread[-1:] >= [len(items)]

        return known


async def post(client: httpx.AsyncClient, path: str, environment: Environment, body: Frame) -> Frame:
    reply = await client.post(path, json=body, headers=environment.management_headers)
    assert reply.status_code == 201, reply.text
    return reply.json()


async def test_a_post_lights_exactly_the_sockets_of_its_subscriber(
    stack: Stack, environment: Environment
) -> None:
    """Two devices of Ada and one of Grace: a POST lights Ada's two within 100 ms, with the right counts."""
    async with (
        Socket.open(stack, environment, "ada") as phone,
        Socket.open(stack, environment, "ada") as laptop,
        Socket.open(stack, environment, "grace") as other,
        stack.client() as client,
    ):
        await post(client, "/v1/notifications", environment, {"subscriber_id": "ada", "category": "warm-up"})
        for socket in (phone, laptop):
            await socket.received("counts", unread=1, unseen=1)
        sent_at = time.monotonic()
        sent = await post(
            client,
            "/v1/notifications",
            environment,
            {"subscriber_id": "ada", "category": "comment", "payload": {"title": "Grace replied"}},
        )
        item = sent["notifications"][0]["id"]
        for socket in (phone, laptop):
            assert await socket.received("hint", reason="notification", id=item) - sent_at < 0.1
            assert await socket.received("counts", unread=2, unseen=2) - sent_at < 0.2
        announced = await post(client, "/v1/broadcasts", environment, {"category": "news", "payload": {}})
        for socket in (phone, laptop, other):
            await socket.received("hint", reason="broadcast", id=announced["id"])
        await other.received("counts", unread=1, unseen=1)
        assert len(other.hints()) == 1, "Grace heard of nothing but the broadcast"


async def test_read_all_on_one_device_updates_the_other(stack: Stack, environment: Environment) -> None:
    async with (
        Socket.open(stack, environment, "ada") as phone,
        Socket.open(stack, environment, "ada") as laptop,
        stack.client() as client,
    ):
        for _ in range(3):
            await post(client, "/v1/notifications", environment, {"subscriber_id": "ada", "category": "c"})
        for socket in (phone, laptop):
            await socket.received("counts", unread=3, unseen=3)
        reply = await client.post("/v1/inbox/read-all", headers=environment.subscriber_headers("ada"))
        assert reply.status_code == 200
        assert (reply.json()["unread"], reply.json()["unseen"]) == (0, 3)
        committed = reply.json()["version"] + 1  # the reply was written just before
        for socket in (phone, laptop):
            await socket.received("hint", reason="read_state")
            await socket.received("counts", unread=0, unseen=3, version=committed)


async def test_both_sources_page_in_one_order(stack: Stack, environment: Environment) -> None:
    """Newest first over both, whatever the page size, with nothing twice and nothing missing."""
    headers = environment.subscriber_headers("ada")
    async with stack.client() as client:
        await client.get("/v1/inbox/counts", headers=headers)
        sent: list[str] = []
        for _ in range(5):
            direct = await post(
                client, "/v1/notifications", environment, {"subscriber_id": "ada", "category": "c"}
            )
            sent.append(direct["notifications"][0]["id"])
            announced = await post(client, "/v1/broadcasts", environment, {"category": "news"})
            sent.append(announced["id"])
        for limit in (1, 3, 10, 100):
            seen: list[str] = []
            cursor: str | None = None
            while True:
                parameters = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
                page = (await client.get("/v1/inbox/items", params=parameters, headers=headers)).json()
                seen += [item["id"] for item in page["items"]]
                cursor = page["next_cursor"]
                if cursor is None:
                    break
            assert seen == sent[::-1]


async def test_a_hint_whose_process_died_is_published_by_the_worker(
    stack: Stack, environment: Environment
) -> None:
    """The API is stopped dead between commit and publish: the client still hears of every item.

    One by one, or by the resync that a worker makes of several that it finds for one person.
    """
    async with Socket.open(stack, environment, "ada") as phone, stack.client() as client:
        requests = [
            asyncio.create_task(
                client.post(
                    "/v1/notifications",
                    json={"subscriber_id": "ada", "category": "c"},
                    headers=environment.management_headers,
                )
            )
            for _ in range(50)
        ]
        await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
        await stack.api.killed()
        replies = await asyncio.gather(*requests, return_exceptions=True)
        created = {
            reply.json()["notifications"][0]["id"]
            for reply in replies
            if isinstance(reply, httpx.Response) and reply.status_code == 201
        }
        assert created
        await eventually(phone.knows(created), within_s=10)
