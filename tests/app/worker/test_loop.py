"""What becomes of a loop whose step fails."""

import asyncio
import itertools

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

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

    loop, other = Loop("defect", step), Loop("other", other_step)
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
    await Loop("defect", step).run(stopping)
    assert asyncio.get_running_loop().time() - begun < 0.45
