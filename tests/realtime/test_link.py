"""The connection that only listens, against a real Redis."""

import asyncio

from redis.asyncio import Redis

from realtime import link

MESSAGES = 20_000


async def test_a_backlog_is_taken_in_order_and_others_get_their_turn(redis_url: str) -> None:
    received: list[bytes] = []
    listening = await link.connect(redis_url, ["a", "b"], received.append, sharded=False)
    most_in_one_turn = 0

    async def watch_the_loop() -> None:
        nonlocal most_in_one_turn
        while len(received) < MESSAGES:
            before = len(received)
            await asyncio.sleep(0)
            most_in_one_turn = max(most_in_one_turn, len(received) - before)

    async with Redis.from_url(redis_url) as client:
        pipeline = client.pipeline(transaction=False)
        for number in range(MESSAGES):
            pipeline.publish("ab"[number % 2], str(number))
        async with asyncio.timeout(30):
            await asyncio.gather(pipeline.execute(), watch_the_loop())
    listening.abort()
    assert 0 < most_in_one_turn <= 2 * link.TURN
    assert received == [str(number).encode() for number in range(MESSAGES)]


async def test_a_link_that_is_closed_by_redis_says_so(redis_url: str) -> None:
    listening = await link.connect(redis_url, ["a"], _ignore, sharded=False)
    async with Redis.from_url(redis_url) as client:
        await client.client_kill_filter(_type="pubsub")
    async with asyncio.timeout(5):
        done, _ = await asyncio.wait({listening.lost})
    assert isinstance(done.pop().exception(), OSError)


async def test_to_publish_on_a_link_that_was_lost_is_no_error_of_its_own(redis_url: str) -> None:
    """Redis ended between two probes: who waits for the answer hears of it by `lost`."""
    speaking = await link.connect(redis_url, (), _ignore, sharded=False)
    async with Redis.from_url(redis_url) as client:
        await client.client_kill_filter(_type="normal", skipme=True)
    async with asyncio.timeout(5):
        await asyncio.wait({speaking.lost})
    await asyncio.sleep(0.01)  # the event loop's handle is closed after connection_lost()
    speaking.publish("a", "x", sharded=False)


def _ignore(payload: bytes) -> None:
    del payload
