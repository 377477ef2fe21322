"""Requests travel together: while one batch is on its way to the database, the next gathers.

One statement, one round trip and, where something is written, one fsync then serve many. Nothing ever waits
for a timer: a lone request goes at once, alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Final, Generic, TypeAlias, TypeVar

from app.contract.errors import BellwireError, Unavailable

Q = TypeVar("Q")
A = TypeVar("A")

MOST_WAITING: Final = 2048  # requests not answered yet; past it, callers are told to come back
BATCH: Final = 64  # requests in one statement
UNDER_WAY: Final = 2  # batches on their way at a time; a second only where a whole one waits
LANES: Final = 4  # requests that go alone at a time


# Which of those who wait are next, in order; the number is of those that a batch may have.
Choice: TypeAlias = Callable[[Sequence[Q], int], Sequence[int]]


def first(waiting: Sequence[object], size: int) -> Sequence[int]:
    return range(min(size, len(waiting)))


def distinct(key: Callable[[Q], object]) -> Choice[Q]:
    """The first; but one whose key is in the batch already waits for the one after."""

    def choose(waiting: Sequence[Q], size: int) -> Sequence[int]:
        chosen: dict[object, int] = {}
        for at, request in enumerate(waiting):
            chosen.setdefault(key(request), at)
            if len(chosen) == size:
                break
        return list(chosen.values())

    return choose


class Batches(Generic[Q, A]):
    """Asks for many at a time; each has the answer it would have alone.

    carry(requests) answers in their order, by a statement that begins now. A request that would keep the
    others waiting may be answered by what is_busy says of: it then goes alone, by carry_alone, as does each
    of a batch that failed. size: requests in a batch.
    """

    def __init__(
        self,
        carry: Callable[[Sequence[Q]], Awaitable[Sequence[A]]],
        *,
        carry_alone: Callable[[Sequence[Q]], Awaitable[Sequence[A]]] | None = None,
        is_busy: Callable[[A], bool] = lambda _: False,
        choose: Choice[Q] = first,
        size: int = BATCH,
    ) -> None:
        self._carry = carry
        self._carry_alone = carry_alone or carry
        self._is_busy = is_busy
        self._choose = choose
        self._size = size
        self._waiting: list[_Waiting[Q, A]] = []
        self._under_way = 0
        self._is_left_over = False  # since the last batch set off
        self._lanes = asyncio.Semaphore(LANES)
        self._outstanding = 0
        self._tasks: set[asyncio.Task[None]] = set()  # a task that nobody holds may be collected

    async def ask(self, request: Q) -> A:
        """Raises Unavailable where too many wait already, and what carry raises for it alone."""
        if self._outstanding >= MOST_WAITING:
            raise Unavailable("too many requests are waiting; try again shortly")
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        self._set_off()
        self._outstanding += 1
        try:
            return await future
        finally:
            self._outstanding -= 1

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _set_off(self) -> None:
        if self._waiting and (self._under_way == 0 or (self._under_way < UNDER_WAY and self._is_full)):
            self._under_way += 1
            self._start(self._run())

    @property
    def _is_full(self) -> bool:
        """Whether a batch would gain nothing by gathering for longer."""
        return self._is_left_over or len(self._waiting) >= self._size

    async def _run(self) -> None:
        try:
            batch = self._take()
            self._set_off()
            if batch:  # else the other, which began at the same time, took them all
                await self._travel(batch)
        finally:
            self._under_way -= 1
            self._set_off()

    def _take(self) -> "list[_Waiting[Q, A]]":
        chosen = self._choose([request for request, _ in self._waiting], self._size)
        batch = [self._waiting[at] for at in chosen]
        for at in reversed(chosen):
            del self._waiting[at]
        self._is_left_over = bool(self._waiting)
        return batch

    async def _travel(self, batch: "Sequence[_Waiting[Q, A]]") -> None:
        """Answers everyone in the batch, but for those who cannot travel with the others: they go alone."""
        try:
            answers = await self._carry([request for request, _ in batch])
        except BellwireError as error:
            for _, future in batch:
                _fail(future, error)
        except Exception:  # noqa: BLE001 - whose fault it was shows when each goes by itself
            for waiting in batch:
                self._start(self._go_alone(waiting))
        else:
            for waiting, answer in zip(batch, answers, strict=True):
                if self._is_busy(answer):
                    self._start(self._go_alone(waiting))
                else:
                    _answer(waiting[1], answer)

    async def _go_alone(self, waiting: "_Waiting[Q, A]") -> None:
        request, future = waiting
        try:
            async with self._lanes:
                [answer] = await self._carry_alone([request])
        except Exception as error:  # noqa: BLE001 - its caller's, who knows what to make of it
            _fail(future, error)
        else:
            _answer(future, answer)


_Waiting: TypeAlias = tuple[Q, "asyncio.Future[A]"]


def _answer(future: "asyncio.Future[A]", answer: A) -> None:
    if not future.done():  # its caller may have gone
        future.set_result(answer)


def _fail(future: "asyncio.Future[A]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
