"""From envelopes to frames, with listeners that only write down what they are told."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from app.contract import hints
from app.contract.hints import Hint
from app.db.outage import Outage
from app.db.pool import Pool
from realtime.counts import CountsFeed
from realtime.hub import Hub
from realtime.relay import MOST_WAITING, Relay
from tests.realtime.notebook import ANN, ENVIRONMENT, OTHER, Notebook, make_hub


@pytest.fixture
def hub() -> Hub[str]:
    return make_hub()


@pytest.fixture
async def relay(hub: Hub[str], pool: Pool) -> AsyncGenerator[Relay[str]]:
    """Running; nobody reads the counts it marks."""
    relay = Relay(hub, CountsFeed[str](pool, Outage()))
    running = asyncio.create_task(relay.run())
    yield relay
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def direct(inbox_id: UUID = ANN, environment_id: UUID = ENVIRONMENT) -> bytes:
    hint = Hint(environment_id=environment_id, inbox_id=inbox_id, reason="notification", at_us=0)
    return hints.encode([hint])[0][1]


def broadcast(category: str = "news") -> bytes:
    hint = Hint(environment_id=ENVIRONMENT, inbox_id=None, reason="broadcast", at_us=0, category=category)
    return hints.encode([hint])[0][1]


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_direct_hint_goes_out_at_once_and_only_to_its_inbox(relay: Relay[str], hub: Hub[str]) -> None:
    ann, elsewhere = Notebook(hub), Notebook(hub)
    ann.join()
    elsewhere.join(ANN, OTHER)
    relay.receive(direct())
    relay.receive(direct(UUID(int=99)))
    assert (ann.told, elsewhere.told) == (["notification"], [])


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\n",
        b"nonsense",
        b"1 a.b notification x\n{}",
        direct().replace(b"1 ", b"2 ", 1),
        broadcast().replace(b'"news"', b'"ne'),
        b"1 \xff.\xff notification 1\n{}",
    ],
)
async def test_what_is_not_an_envelope_of_this_version_is_skipped(
    relay: Relay[str], hub: Hub[str], message: bytes
) -> None:
    ann = Notebook(hub)
    ann.join()
    relay.receive(message)
    await turns(3)
    assert ann.told == []


async def test_a_broadcast_goes_out_in_turns_and_hints_pass_in_between(
    relay: Relay[str], hub: Hub[str]
) -> None:
    notebooks = [Notebook(hub) for _ in range(60_000)]
    for number, notebook in enumerate(notebooks):
        notebook.join(UUID(int=1000 + number))
    relay.receive(broadcast())
    await turns(2)
    relay.receive(direct(UUID(int=1000 + len(notebooks) - 1)))
    assert 0 < sum(notebook.told == ["broadcast"] for notebook in notebooks) < len(notebooks)
    assert notebooks[-1].told == ["notification"]
    while "broadcast" not in notebooks[-1].told:
        await turns(1)
    assert all("broadcast" in notebook.told for notebook in notebooks)


async def test_more_broadcasts_than_can_wait_become_one_resync(relay: Relay[str], hub: Hub[str]) -> None:
    ann = Notebook(hub)
    ann.join()
    for _ in range(10 * MOST_WAITING):
        relay.receive(broadcast())
    await turns(3 * MOST_WAITING)
    assert ann.told == [*["broadcast"] * MOST_WAITING, "resync"]
