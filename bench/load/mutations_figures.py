"""How many marks a second, and whether reading everything costs what there is to read."""

import argparse
import http.client
import statistics
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from app.contract import ids
from bench import growth_world
from bench.load import stage, wrk
from bench.load.report import Report
from bench.load.stage import Server, Stage

CROWD: Final = 160_000
READ: Final = "/v1/inbox/notifications/{}/read"
READ_ALL: Final = "/v1/inbox/read-all"
FEW, MANY, ROUNDS = 100, 100_000, 30

SELECT_CROWD: Final = """
SELECT s.subscriber_id, n.id FROM subscribers s
JOIN notifications n ON n.environment_id = s.environment_id AND n.inbox_id = s.id
WHERE s.environment_id = $1 AND s.subscriber_id LIKE 'crowd-%' ORDER BY s.subscriber_id
"""

# As if nothing had been read.
FORGET: Final = """
WITH reset AS (
    UPDATE inboxes i SET read_notification = '00000000-0000-0000-0000-000000000000'
    FROM subscribers s
    WHERE s.environment_id = $1 AND s.subscriber_id = $2 AND i.environment_id = $1 AND i.id = s.id
    RETURNING i.id
)
UPDATE inbox_categories c SET unread = made.items
FROM (SELECT n.category, count(*) AS items FROM notifications n JOIN reset r ON n.inbox_id = r.id
      WHERE n.environment_id = $1 GROUP BY n.category) AS made, reset
WHERE c.environment_id = $1 AND c.inbox_id = reset.id AND c.category = made.category
"""


def write_marks(world: Stage, file: Path, marks: Sequence[tuple[str, str]]) -> None:
    """marks: path and subscriber of each, as mark.lua reads them."""
    with file.open("w") as lines:
        for path, subscriber_id in marks:
            proof = world.proof(subscriber_id)["X-Bellwire-Subscriber-Hash"]
            lines.write(f"{path}\t{subscriber_id}\t{proof}\n")


class Marks:
    """Marks to be made, each once: what is marked already costs less."""

    def __init__(self, world: Stage, marks: Sequence[tuple[str, str]]) -> None:
        self._world = world
        self._marks = list(marks)
        self._file = world.directory / "marks"

    async def make(self, server: Server, seconds: float) -> wrk.Load:
        """Raises RuntimeError where there are too few left."""
        write_marks(self._world, self._file, self._marks)
        load = await wrk.run("mark.lua", server, stage.SLUG, self._file, seconds=seconds)
        if load.requests > len(self._marks):
            raise RuntimeError(f"{load.requests} requests, but only {len(self._marks)} marks to make")
        del self._marks[: load.requests]
        return load


class Caller:
    """One connection, one request at a time."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self._headers = dict(headers)

    def post_ms(self, path: str) -> float:
        started = time.perf_counter()
        self._connection.request("POST", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 200
        return (time.perf_counter() - started) * 1000


async def measure(options: argparse.Namespace) -> None:
    async with stage.open_stage() as world:
        async with world.pool.acquire() as connection:
            await growth_world.open_months(connection)
            await growth_world.create_crowd(connection, world.environment_id, CROWD)
            for name, items in (("few", FEW), ("many", MANY)):
                await growth_world.create_inbox(connection, world.environment_id, name, items)
        await stage.settle(world.pool)
        seeding = await asyncpg.connect(world.database_url)  # the pool's plans are for small statements
        people = await seeding.fetch(SELECT_CROWD, world.environment_id)
        # Strewn, as people are; half of them read one item, the other half all they have.
        crowd = [(people[at * 7919 % CROWD][0], people[at * 7919 % CROWD][1]) for at in range(CROWD)]
        reads = [(READ.format(ids.encode("notif", item)), who) for who, item in crowd[: CROWD // 2]]
        alls = [(READ_ALL, who) for who, _ in crowd[CROWD // 2 :]]
        report = Report()
        seconds = min(options.seconds, 3)
        async with stage.serve(world, stage.CONSTANT) as limit, stage.serve(world) as product:
            for what, marks in (("mark read, 64 clients", reads), ("read-all, 64 clients", alls)):
                file = world.directory / "any"
                write_marks(world, file, marks)
                to_make = Marks(world, marks)
                await to_make.make(product, 1)
                best = await wrk.in_turn(
                    limit=partial(wrk.run, "mark.lua", limit, stage.SLUG, file, seconds=seconds),
                    product=partial(to_make.make, product, seconds),
                )
                report.at_least(what, best["product"].per_s, 2_000, limit=best["limit"].per_s, ratio=0)
                report.beside(best["product"], best["limit"])
            times: dict[str, list[float]] = {"few": [], "many": []}
            callers = {name: Caller(product.url, world.proof(name)) for name in times}
            for _ in range(ROUNDS):
                for name, caller in callers.items():
                    await seeding.execute(FORGET, world.environment_id, name)
                    times[name].append(caller.post_ms(READ_ALL))
            few, many = (statistics.median(times[name]) for name in ("few", "many"))
            report.at_most(f"read-all of {MANY} unread, beside {FEW}, p50", many, 1.5, limit=few)
        await seeding.close()
    report.end()
