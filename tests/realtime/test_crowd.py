"""Many people, several sockets each, everything happening at once: each socket gets exactly its own."""

import asyncio
import contextlib
import functools
import random
from collections import Counter
from contextlib import AsyncExitStack

from tests.harness import eventually
from tests.realtime.backend import Backend
from tests.realtime.clients import Client, GatewayUnderTest, agree, shown

PEOPLE, SOCKETS_EACH, ACTIONS, AT_ONCE = 200, 3, 400, 8
CATEGORIES = ("news", "sport", "billing")


class Ledger:
    """What was sent, as the backend knows it."""

    def __init__(self) -> None:
        self.items: dict[str, set[str]] = {f"s{number}": set() for number in range(PEOPLE)}
        self.broadcasts: set[str] = set()
        self.have_muted: set[str] = set()

    async def act(self, backend: Backend, choose: random.Random) -> None:
        """One random thing that a backend or a person does."""
        people = list(self.items)
        category = choose.choice(CATEGORIES)
        match choose.randrange(6):
            case 0 | 1 | 2:
                chosen = choose.sample(people, choose.randint(1, 5))
                sent = await backend.notify(*chosen, category=category)
                for person, item in zip(chosen, sent, strict=True):
                    self.items[person].add(item)
            case 3:
                self.broadcasts.add(await backend.broadcast(category))
            case 4:
                await backend.mark_all(choose.choice(people), choose.choice(("read", "seen", "archived")))
            case _:
                person = choose.choice(people)
                self.have_muted.add(person)
                await backend.mute(person, category, enabled=choose.random() < 0.5)


async def test_every_socket_gets_exactly_its_own_and_ends_with_the_counts_of_rest(
    gateway: GatewayUnderTest, backend: Backend
) -> None:
    ledger, choose = Ledger(), random.Random(4711)
    async with AsyncExitStack() as stack:
        sockets: dict[str, list[Client]] = {
            person: list(
                await asyncio.gather(
                    *(stack.enter_async_context(gateway.client(person)) for _ in range(SOCKETS_EACH))
                )
            )
            for person in ledger.items
        }
        readers = [asyncio.create_task(read_on(client)) for clients in sockets.values() for client in clients]
        for _ in range(ACTIONS // AT_ONCE):
            await asyncio.gather(*(ledger.act(backend, choose) for _ in range(AT_ONCE)))

        for person, clients in sockets.items():
            truth = await backend.counts(person)
            for client in clients:
                await eventually(functools.partial(shown, client), functools.partial(agree, truth))
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    for person, clients in sockets.items():
        expected = ledger.items[person] | ledger.broadcasts
        for client in clients:
            hinted = told_of(client)
            assert set(hinted.values()) <= {1}, "an item was hinted twice"
            assert hinted.keys() <= expected, "a hint of somebody else's item"
            if person not in ledger.have_muted:
                assert hinted.keys() == expected


def told_of(client: Client) -> Counter[str]:
    """How often each item became visible to a socket, by id."""
    arrivals = ("notification", "broadcast")
    return Counter(frame["id"] for frame in client.of_type("hint") if frame["reason"] in arrivals)


async def read_on(client: Client) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await client.next()
