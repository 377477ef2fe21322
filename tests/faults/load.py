"""A backend that sends without pause, and remembers every answer."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec

from tests.factories import Environment

_AFTER_FAILURE_S: Final = 0.05
_REPLAYERS: Final = 8


class Answer(msgspec.Struct, frozen=True):
    """at: monotonic seconds when it came; 201 or 200."""

    at: float
    took_s: float
    status: int
    body: bytes
    recipients: list[str]


class Refusal(msgspec.Struct, frozen=True):
    """An answer that is no success."""

    at: float
    status: int
    code: str
    retry_after: str | None


class Sent(msgspec.Struct, frozen=True):
    id: str
    subscriber_id: str


class SentBody(msgspec.Struct, frozen=True):
    idempotency_key: str
    notifications: list[Sent]


class Storm:
    """answers and unsure together are everything that was ever asked for, by idempotency key.

    unsure: requests that got no success, so that nobody can tell yet whether they were carried out.
    refusals: answers that were none. lost: requests whose connection failed.
    """

    def __init__(self, url: str, environment: Environment, people: Sequence[str]) -> None:
        self.answers: dict[str, Answer] = {}
        self.unsure: dict[str, dict[str, Any]] = {}
        self.refusals: list[Refusal] = []
        self.lost: list[tuple[float, str]] = []
        self._bodies: dict[str, dict[str, Any]] = {}
        self._people = people
        self._numbers = 0
        self._client = httpx.AsyncClient(
            base_url=url,
            headers=environment.management_headers,
            timeout=30,
            trust_env=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
        )

    @asynccontextmanager
    async def blowing(self, senders: int = 6, pause_s: float = 0.0) -> AsyncGenerator[None]:
        """Sends while the block runs; at its end what is under way is waited for."""
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(senders):
                tasks.create_task(self._send_until(stopping, pause_s))
            try:
                yield
            finally:
                stopping.set()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def replay(self) -> None:
        """Asks for everything again by its key, and settles what is unsure.

        What was answered gets the same bytes again; what was not is carried out now, unless it was.
        """
        waiting = [*self.answers, *self.unsure]
        async with asyncio.TaskGroup() as tasks:
            for at in range(_REPLAYERS):
                tasks.create_task(self._replay(waiting[at::_REPLAYERS]))

    def expected(self) -> dict[str, list[str]]:
        """The ids each person must have, and nothing else, once nothing is unsure."""
        assert not self.unsure
        held: dict[str, list[str]] = {person: [] for person in self._people}
        for key, answer in self.answers.items():
            body = msgspec.json.decode(answer.body, type=SentBody)
            assert body.idempotency_key == key
            assert [sent.subscriber_id for sent in body.notifications] == answer.recipients
            for sent in body.notifications:
                held[sent.subscriber_id].append(sent.id)
        return held

    def refused_with(self) -> Counter[tuple[int, str]]:
        return Counter((refusal.status, refusal.code) for refusal in self.refusals)

    def slowest_s(self) -> float:
        return max(answer.took_s for answer in self.answers.values())

    async def _send_until(self, stopping: asyncio.Event, pause_s: float) -> None:
        while not stopping.is_set():
            self._numbers += 1
            key = f"key-{self._numbers}"
            self._bodies[key] = {
                "subscriber_ids": random.sample(self._people, random.choice((1, 1, 1, 3))),
                "category": random.choice(("comment", "invoice")),
                "payload": {"title": key},
                "idempotency_key": key,
            }
            if not await self._ask(key, (201,)):
                await asyncio.sleep(_AFTER_FAILURE_S)
            elif pause_s:
                await asyncio.sleep(pause_s)

    async def _replay(self, keys: Sequence[str]) -> None:
        for key in keys:
            first = self.answers.get(key)
            assert await self._ask(key, (200,) if first else (200, 201)), (
                key,
                self.refusals[-1:],
                self.lost[-1:],
            )
            if first:
                assert self.answers[key].body == first.body
                self.answers[key] = first

    async def _ask(self, key: str, successes: tuple[int, ...]) -> bool:
        """Whether it was answered with a success."""
        body = self._bodies[key]
        begun = time.monotonic()
        try:
            reply = await self._client.post("/v1/notifications", json=body)
        except httpx.TransportError as error:
            self.lost.append((time.monotonic(), repr(error)))
            self.unsure.setdefault(key, body)
            return False
        now = time.monotonic()
        if reply.status_code not in successes:
            code = reply.json()["error"]["code"] if reply.status_code >= 400 else "unexpected"
            retry_after = reply.headers.get("retry-after")
            self.refusals.append(Refusal(now, reply.status_code, code, retry_after))
            self.unsure.setdefault(key, body)
            return False
        self.unsure.pop(key, None)
        self.answers[key] = Answer(now, now - begun, reply.status_code, reply.content, body["subscriber_ids"])
        return True
