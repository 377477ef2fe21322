"""How many pages, 304s and counts of a large inbox a second."""

import argparse
import urllib.request
from collections.abc import Mapping
from functools import partial

from bench import growth_world
from bench.load import stage, wrk
from bench.load.report import Report
from bench.load.stage import Server

ITEMS = 100_000
PERSON = "long"
PAGE, COUNTS = "/v1/inbox/items?limit=20", "/v1/inbox/counts"


async def get(server: Server, path: str, headers: Mapping[str, str], seconds: float) -> wrk.Load:
    arguments = [part for header in headers.items() for part in header]
    return await wrk.run("get.lua", server, *arguments, path=path, seconds=seconds)


def etag_of(url: str, headers: Mapping[str, str]) -> str:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return str(answer.headers["etag"])


async def measure(options: argparse.Namespace) -> None:
    async with stage.open_stage() as world:
        async with world.pool.acquire() as connection:
            await growth_world.open_months(connection)
            await growth_world.create_inbox(connection, world.environment_id, PERSON, ITEMS)
        await stage.settle(world.pool)
        proof = world.proof(PERSON)
        report = Report()
        async with stage.serve(world, constant=True) as limit, stage.serve(world) as product:
            known = {**proof, "If-None-Match": etag_of(product.url + PAGE, proof)}
            for what, path, headers, ratio in (
                (f"first page, 20 of {ITEMS}", PAGE, proof, 0.5),
                ("the same, not modified", PAGE, known, 0.7),
                ("counts", COUNTS, proof, 0.6),
            ):
                for server in (limit, product):
                    await get(server, path, headers, 1)
                best = await wrk.in_turn(
                    limit=partial(get, limit, path, headers, options.seconds),
                    product=partial(get, product, path, headers, options.seconds),
                )
                report.at_least(what, best["product"].per_s, None, limit=best["limit"].per_s, ratio=ratio)
                report.beside(best["product"], best["limit"])
    report.end()
