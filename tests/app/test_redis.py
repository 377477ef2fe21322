"""What the rest of the code relies on about redis-py, whatever redis-py does."""

import asyncio

from app import redis

SWALLOWED = 2


async def test_a_task_that_swallows_cancellations_is_ended() -> None:
    """As redis-py makes one: where a connection fails at that moment, its error takes the place of the
    cancellation, and what tries again goes on.
    """
    swallowed = 0

    async def tries_again() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if swallowed == SWALLOWED:
                    raise
                swallowed += 1

    task = asyncio.create_task(tries_again())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await redis.end([task])
    assert task.cancelled()
    assert swallowed == SWALLOWED
