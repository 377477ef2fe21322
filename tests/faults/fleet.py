"""Websocket clients, one a person, and what each was shown when."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.factories import Environment
from tests.faults.load import Storm
from tests.harness import eventually

Frame = dict[str, Any]


class Listener:
    """shown: (monotonic seconds, unread) of `ready` and each counts frame. open: the socket still is."""

    def __init__(self, person: str, socket: ClientConnection) -> None:
        self.person = person
        self.shown: list[tuple[float, int]] = []
        self.frames: list[Frame] = []
        self.open = True
        self._socket = socket

    async def read(self) -> None:
        try:
            while True:
                frame = msgspec.json.decode(await self._socket.recv(), type=Frame)
                self.frames.append(frame)
                if frame["type"] in ("ready", "counts"):
                    self.shown.append((time.monotonic(), frame["unread"]))
        except ConnectionClosed:
            self.open = False

    @property
    def unread(self) -> int:
        return self.shown[-1][1] if self.shown else -1

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code


class Fleet:
    def __init__(self, listeners: Sequence[Listener]) -> None:
        self.listeners = listeners

    @classmethod
    @asynccontextmanager
    async def open(
        cls, socket_url: str, environment: Environment, people: Sequence[str]
    ) -> AsyncGenerator["Fleet"]:
        """Everyone is past `ready`. Nobody reconnects: a socket that is lost shows."""
        async with AsyncExitStack() as stop:
            listeners: list[Listener] = []
            for person in people:
                query = urlencode(environment.subscriber_query(person))
                socket = await stop.enter_async_context(
                    connect(f"{socket_url}?{query}", compression=None, proxy=None, ping_interval=None)
                )
                listener = Listener(person, socket)
                reader = asyncio.create_task(listener.read())
                stop.callback(reader.cancel)
                listeners.append(listener)
            fleet = cls(listeners)
            await fleet.settled(dict.fromkeys(people), within_s=10)
            yield fleet

    async def settled(self, unread: Mapping[str, int | None], *, within_s: float) -> None:
        """Waits until everyone is shown these numbers; None: any."""

        async def wrong() -> dict[str, tuple[int, int | None]]:
            return {
                one.person: (one.unread, unread[one.person])
                for one in self.listeners
                if one.unread != unread[one.person] and not (unread[one.person] is None and one.shown)
            }

        await eventually(wrong, lambda found: not found, within_s=within_s)

    @property
    def all_open(self) -> bool:
        return all(listener.open for listener in self.listeners)

    def worst_lag_s(self, storm: Storm) -> float:
        """The longest that anybody waited, after a create was answered, to be shown a number with it.

        Nobody reads here, so the nth answer that names a person means at least n unread from then on.
        """
        worst = 0.0
        for listener in self.listeners:
            answered = sorted(
                answer.at for answer in storm.answers.values() if listener.person in answer.recipients
            )
            shown_unread = [unread for _, unread in listener.shown]
            assert shown_unread == sorted(shown_unread), "counts went backwards"
            for count, at in enumerate(answered, start=1):
                first = bisect_left(shown_unread, count)
                assert first < len(shown_unread), f"{listener.person} was never shown {count}"
                worst = max(worst, listener.shown[first][0] - at)
        return worst
