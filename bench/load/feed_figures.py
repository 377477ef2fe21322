"""How many pages, 304s and counts of large inboxes a second: of one person, and of many."""

import argparse
import urllib.request
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from bench import growth_world
from bench.load import stage, wrk
from bench.load.report import Report
from bench.load.stage import Server

ITEMS: Final = 100_000
ONE: Final = "long"
# As many as clients: what the requests of one person at the same time share, these do not.
MANY: Final = [f"short-{number}" for number in range(wrk.CLIENTS)]
ITEMS_OF_MANY: Final = 1_000
PAGE, COUNTS = "/v1/inbox/items?limit=20", "/v1/inbox/counts"

Headers = Mapping[str, str]


async def get(server: Server, path: str, people: Sequence[Headers], seconds: float) -> wrk.Load:
    arguments: list[str] = []
    for headers in people:
        arguments += ["|"] if arguments else []
        arguments += [part for header in headers.items() for part in header]
    return await wrk.run("get.lua", server, *arguments, path=path, seconds=seconds)


def etag_of(url: str, headers: Headers) -> str:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return str(answer.headers["etag"])


async def measure(options: argparse.Namespace) -> None:
    async with stage.open_stage() as world:
        async with world.pool.acquire() as connection:
            await growth_world.open_months(connection)
            await growth_world.create_inbox(connection, world.environment_id, ONE, ITEMS)
            for person in MANY:
                await growth_world.create_inbox(connection, world.environment_id, person, ITEMS_OF_MANY)
        await stage.settle(world.pool)
        report = Report()
        async with stage.serve(world, stage.CONSTANT) as limit, stage.serve(world) as product:
            for who, people in ((f"1 of {ITEMS} items", [ONE]), (f"{len(MANY)} of {ITEMS_OF_MANY}", MANY)):
                proofs = [world.proof(person) for person in people]
                known = [{**proof, "If-None-Match": etag_of(product.url + PAGE, proof)} for proof in proofs]
                for what, path, asking, ratio in (
                    ("first page, 20 items", PAGE, proofs, 0.5),
                    ("the same, not modified", PAGE, known, 0.7),
                    ("counts", COUNTS, proofs, 0.6),
                ):
                    for server in (limit, product):
                        await get(server, path, asking, 1)
                    best = await wrk.in_turn(
                        limit=partial(get, limit, path, asking, options.seconds),
                        product=partial(get, product, path, asking, options.seconds),
                    )
                    report.at_least(
                        f"{what}; people: {who}",
                        best["product"].per_s,
                        None,
                        limit=best["limit"].per_s,
                        ratio=ratio,
                    )
                    report.beside(best["product"], best["limit"])
    report.end()
