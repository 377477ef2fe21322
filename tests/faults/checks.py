"""What must hold once the dust has settled, asked for over the public API and in the bare tables."""

import httpx

from app.contract import ids
from tests.factories import Environment
from tests.faults.fleet import Fleet
from tests.faults.load import Storm
from tests.faults.machine import Machine


async def unread_ids(client: httpx.AsyncClient, environment: Environment, person: str) -> list[str]:
    """The fully paged unread view."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": "100", "filter": "unread", **({"cursor": cursor} if cursor else {})}
        page = (
            await client.get(
                "/v1/inbox/items", params=parameters, headers=environment.subscriber_headers(person)
            )
        ).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def unread_count(client: httpx.AsyncClient, environment: Environment, person: str) -> tuple[int, int]:
    """(unread, version)"""
    headers = environment.subscriber_headers(person)
    counts = (await client.get("/v1/inbox/counts", headers=headers)).json()
    assert counts["unread"] == counts["unseen"], "nobody sees or reads anything here"
    return counts["unread"], counts["version"]


async def settle(machine: Machine, storm: Storm, fleet: Fleet) -> None:
    """Everything asked for exists exactly once; list, counts and clients agree on it."""
    await storm.replay()
    held = storm.expected()
    async with machine.client() as client:
        for person, sent in held.items():
            listed = await unread_ids(client, machine.environment, person)
            assert len(set(listed)) == len(listed)
            assert set(listed) == set(sent), person
            assert (await unread_count(client, machine.environment, person))[0] == len(sent)
    stored = await machine.pool.fetch("SELECT id FROM notifications")
    wanted = sorted(item for sent in held.values() for item in sent)
    assert sorted(ids.encode("notif", row["id"]) for row in stored) == wanted
    await machine.outbox_is_empty()
    await fleet.settled({person: len(sent) for person, sent in held.items()}, within_s=10)
    assert await machine.pool.fetchval("SELECT count(*) FROM dead_letters") == 0
