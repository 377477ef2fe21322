"""Sends travel together, many in a transaction: see app.services.batches."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from app.db import notifications
from app.db.notifications import Draft, Outcome
from app.db.outbox import HintJob
from app.db.pool import Pool, run
from app.services.batches import Batches

BATCH_RECIPIENTS: Final = 1600  # notifications in one transaction, but for a request that has more alone


class SendQueue:
    """Sends drafts, each with the outcome it would have alone.

    offer: takes the hint jobs of each transaction right after its commit; it must not wait.
    """

    def __init__(self, pool: Pool, offer: Callable[[HintJob], None]) -> None:
        self._pool = pool
        self._offer = offer
        self._batches = Batches(
            partial(self._send, skip_busy=True),
            carry_alone=partial(self._send, skip_busy=False),
            is_busy=lambda outcome: outcome.verdict == "busy",
            choose=_choose,
        )

    async def send(self, draft: Draft) -> Outcome:
        """Raises Unavailable where PostgreSQL is away or the queue is full; asyncpg.DataError."""
        return await self._batches.ask(draft)

    async def _send(self, drafts: Sequence[Draft], *, skip_busy: bool) -> list[Outcome]:
        batch = await run(
            self._pool,
            lambda connection: notifications.send_notifications(connection, drafts, skip_busy=skip_busy),
        )
        for job in batch.jobs:
            self._offer(job)
        return batch.answers


def _choose(waiting: Sequence[Draft], size: int) -> list[int]:
    """The next batch, in order. A key that is in it already waits for the one after."""
    chosen: list[int] = []
    keys: set[tuple[object, str]] = set()
    recipients = 0
    for at, draft in enumerate(waiting):
        recipients += len(draft.recipients)
        if len(chosen) == size or (chosen and recipients > BATCH_RECIPIENTS):
            break
        key = (draft.environment_id, draft.idempotency_key)
        if key not in keys:
            chosen.append(at)
            keys.add(key)
    return chosen
