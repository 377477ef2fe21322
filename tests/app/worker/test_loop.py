"""What becomes of a loop whose step fails."""

import asyncio
import itertools

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from app.contract.errors import Unavailable
from app.db.outage import Outage
from app.worker.loop import Loop

WITHIN_S = 20


def failures(loop: str) -> float:
    found = REGISTRY.get_sample_value("bellwire_pass_failures_total", {"loop": loop})
    return found or 0


async def test_a_pass_that_fails_is_tried_again_and_said_once() -> None:
    """After a pause that grows, and that knocks do not cut short; its cause is one line, beside where it
    came from. Other loops go on meanwhile.
    """
    stopping, others = asyncio.Event(), 0
    failed_at: list[float] = []

    async def step() -> float:
        loop.knock()
        failed_at.append(asyncio.get_running_loop().time())
        if len(failed_at) == 3:
            stopping.set()
            return 0
        raise ValueError("a defect\nof two lines")

    async def other_step() -> float:
        nonlocal others
        others += 1
        return 0.01

    loop, other = Loop("defect", step, Outage()), Loop("other", other_step, Outage())
    before = failures("defect")
    with capture_logs() as said:
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(loop.run(stopping), other.run(stopping))
    assert failures("defect") - before == 2
    assert [line["error"] for line in said] == ["ValueError: a defect"] * 2
    assert [line["exc_info"] is not None for line in said] == [True, False]
    first, second = (later - earlier for earlier, later in itertools.pairwise(failed_at))
    assert 0.5 <= first < 1.5
    assert 1 <= second < 2.5
    assert others > 20


async def test_a_pause_ends_when_told_to_stop() -> None:
    stopping = asyncio.Event()

    async def step() -> float:
        asyncio.get_running_loop().call_later(0.05, stopping.set)
        raise ValueError("a defect")

    begun = asyncio.get_running_loop().time()
    await Loop("defect", step, Outage()).run(stopping)
    assert asyncio.get_running_loop().time() - begun < 0.45


async def test_an_outage_is_said_once_by_all_who_meet_it_and_its_end_once_all_are_through() -> None:
    stopping, outage = asyncio.Event(), Outage()

    def lasting(tries: int) -> Loop:
        async def step() -> float:
            nonlocal tries
            tries -= 1
            if tries >= 0:
                raise Unavailable("not available") from ConnectionRefusedError()
            if tries == -1:
                through.append(len(said))
            if len(through) == 2:
                stopping.set()
            return 0.01

        return Loop("any", step, outage)

    through: list[int] = []  # how many lines there were when a loop came through
    with capture_logs() as said:
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*(lasting(tries).run(stopping) for tries in (1, 3)))
    assert [line["event"] for line in said] == ["the database (DATABASE_URL) is away", "the database is back"]
    assert (said[0]["reason"], said[0]["error"]) == ("not available", "ConnectionRefusedError")
    assert through == [1, 1]
