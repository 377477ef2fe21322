"""Lets callers and readers loose on the same few inboxes."""

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Final

import msgspec

from tests.app.concurrency.backend import Backend
from tests.app.concurrency.callers import PEOPLE, Caller, come_to_rest
from tests.app.concurrency.conftest import LONG
from tests.app.concurrency.coverage import join
from tests.app.concurrency.ledger import Ledger
from tests.app.concurrency.readers import Memory, Reader
from tests.factories import Environment

SEEDS: Final = range(1, 21) if LONG else [1]
TIMEOUT_S: Final = 1200 if LONG else 120


CALLERS_A_PROCESS: Final = 3  # their sends may travel in one transaction


class Storm(msgspec.Struct, frozen=True):
    """How many of each, how often each does something, and whether people are erased meanwhile."""

    seed: int
    callers: int
    operations: int
    readers: int
    rounds: int
    erasing: bool

    async def run(self, database_url: str, redis_url: str, environment: Environment) -> Ledger:
        """Every few callers, and each reader, are a process of their own. Ends when all has come to rest."""
        ledger, memory = Ledger(), Memory()
        async with AsyncExitStack() as stack:

            async def backend(name: str) -> Backend:
                opened = Backend.open(database_url, redis_url, environment, name=name, size=6)
                return await stack.enter_async_context(opened)

            first = await backend("first")
            await join(first, *PEOPLE)
            processes = [await backend("caller") for _ in range(0, self.callers, CALLERS_A_PROCESS)]
            callers = [
                Caller(
                    processes[nth % len(processes)],
                    ledger,
                    self._random(f"caller {nth}"),
                    erasing=self.erasing,
                )
                for nth in range(self.callers)
            ]
            readers = [
                Reader(await backend("reader"), memory, self._random(f"reader {nth}"))
                for nth in range(self.readers)
            ]
            async with asyncio.TaskGroup() as tasks:
                for caller in callers:
                    tasks.create_task(caller.run(self.operations))
                for reader in readers:
                    tasks.create_task(reader.run(self.rounds))
            await come_to_rest(first)
        for person, reply in ledger.replies:
            memory.check_reply(person, reply)
        return ledger

    def _random(self, who: str) -> random.Random:
        return random.Random(f"{self.seed} {who}")
