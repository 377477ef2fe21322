"""Sends travel together: while one batch is on its way to the database, the next gathers.

One transaction, one fsync and one round trip then serve up to 64 requests. Nothing ever waits for a timer:
a lone request goes at once, alone.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, TypeAlias

import asyncpg

from app.contract.errors import BellwireError, Unavailable
from app.db import notifications
from app.db.notifications import Draft, Outcome
from app.db.outbox import HintJob
from app.db.pool import Pool, run

MOST_WAITING: Final = 2048  # requests not answered yet; past it, callers are told to come back
BATCH: Final = 64  # requests in one transaction
BATCH_RECIPIENTS: Final = 400  # notifications in one transaction, but for a request that has more alone
WRITERS: Final = 2  # batches on their way at a time
LANES: Final = 4  # requests that go alone at a time

_Waiting: TypeAlias = tuple[Draft, "asyncio.Future[Outcome]"]


class SendQueue:
    """Sends drafts, many in a transaction, each with the outcome it would have alone.

    offer: takes the hint jobs of each transaction right after its commit; it must not wait.
    """

    def __init__(self, pool: Pool, offer: Callable[[HintJob], None]) -> None:
        self._pool = pool
        self._offer = offer
        self._waiting: list[_Waiting] = []
        self._writers = 0
        self._lanes = asyncio.Semaphore(LANES)
        self._outstanding = 0
        self._tasks: set[asyncio.Task[None]] = set()  # a task that nobody holds may be collected

    async def send(self, draft: Draft) -> Outcome:
        """Raises Unavailable where PostgreSQL is away or the queue is full; asyncpg.DataError."""
        if self._outstanding >= MOST_WAITING:
            raise Unavailable("too many requests are waiting to be written; try again shortly")
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((draft, future))
        if self._writers < WRITERS:
            self._writers += 1
            self._start(self._write())
        self._outstanding += 1
        try:
            return await future
        finally:
            self._outstanding -= 1

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._flush(self._take())
        finally:
            self._writers -= 1

    def _take(self) -> list[_Waiting]:
        """The next batch, in order. A key that is in it already waits for the one after."""
        batch: list[_Waiting] = []
        later: list[_Waiting] = []
        keys: set[tuple[object, str]] = set()
        recipients = 0
        for at, waiting in enumerate(self._waiting):
            draft = waiting[0]
            recipients += len(draft.recipients)
            if len(batch) == BATCH or (batch and recipients > BATCH_RECIPIENTS):
                later += self._waiting[at:]
                break
            key = (draft.environment_id, draft.idempotency_key)
            (later if key in keys else batch).append(waiting)
            keys.add(key)
        self._waiting = later
        return batch

    async def _flush(self, batch: Sequence[_Waiting]) -> None:
        """Answers everyone in the batch, but for those who cannot travel with the others: they go alone.

        An inbox that is held elsewhere, or a request at fault, then keeps nobody else waiting.
        """
        drafts = [draft for draft, _ in batch]
        try:
            outcomes = await self._send(drafts, skip_busy=True)
        except BellwireError as error:
            for _, future in batch:
                _fail(future, error)
            return
        except asyncpg.PostgresError:
            alone = batch  # rolled back whole; whose fault it was shows when each goes by itself
        else:
            alone: Sequence[_Waiting] = []
            for waiting, outcome in zip(batch, outcomes, strict=True):
                if outcome.verdict == "busy":
                    alone.append(waiting)
                else:
                    _answer(waiting[1], outcome)
        for waiting in alone:
            self._start(self._send_alone(waiting))

    async def _send_alone(self, waiting: _Waiting) -> None:
        draft, future = waiting
        try:
            async with self._lanes:
                [outcome] = await self._send([draft], skip_busy=False)
        except (BellwireError, asyncpg.PostgresError) as error:
            _fail(future, error)
        else:
            _answer(future, outcome)

    async def _send(self, drafts: Sequence[Draft], *, skip_busy: bool) -> list[Outcome]:
        batch = await run(
            self._pool,
            lambda connection: notifications.send_notifications(connection, drafts, skip_busy=skip_busy),
        )
        for job in batch.jobs:
            self._offer(job)
        return batch.outcomes


def _answer(future: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    if not future.done():  # its caller may have gone
        future.set_result(outcome)


def _fail(future: "asyncio.Future[Outcome]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
