"""What POST /v1/notifications and /v1/broadcasts do in a second, and how long one takes."""

import argparse
import statistics
import time
from functools import partial
from uuid import UUID, uuid4

from app.db import notifications
from app.db.notifications import Draft
from bench import growth_world
from bench.load import stage, wrk
from bench.load.report import Report
from bench.load.stage import Server, Stage

CROWD = 20_000
RECIPIENTS = 100
SUBSCRIBERS_FEW, SUBSCRIBERS_MANY = 100, 100_000


async def bare_call_ms(world: Stage, calls: int) -> float:
    """The median of the statement of a create, from the same machine, with nothing around it."""
    times: list[float] = []
    async with world.pool.acquire() as connection:
        for number in range(calls):
            draft = Draft(
                environment_id=world.environment_id,
                idempotency_key=f"bare-{uuid4()}",
                fingerprint=b"fingerprint",
                recipients=[f"crowd-{number * 7919 % CROWD + 1}"],
                category="comment",
                payload=growth_world.PAYLOAD,
                deliver_at=None,
                expires_at=None,
            )
            started = time.perf_counter()
            await notifications.send_notifications(connection, [draft])
            times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


class Creates:
    """Loads of creates, each with idempotency keys that no other had."""

    def __init__(self, server: Server, key: str, seconds: float) -> None:
        self._server = server
        self._key = key
        self._seconds = seconds

    async def run(
        self,
        recipients: int,
        *,
        clients: int = wrk.CLIENTS,
        seconds: float | None = None,
        path: str = "/v1/notifications",
    ) -> wrk.Load:
        return await wrk.run(
            "create.lua", self._server, self._key, f"{uuid4().hex[:8]}-", recipients, CROWD,
            path=path, clients=clients, seconds=seconds or self._seconds,
        )  # fmt: skip


async def measure(options: argparse.Namespace) -> None:
    async with stage.open_stage() as world:
        async with world.pool.acquire() as connection:
            await growth_world.create_crowd(connection, world.environment_id, CROWD)
        await stage.settle(world.pool)
        report = Report()
        async with (
            stage.serve(world, stage.CONSTANT) as constant,
            stage.serve(world, stage.STOCK) as litestar,
            stage.serve(world) as api,
        ):
            limit, stock, product = (
                Creates(server, world.api_key, options.seconds) for server in (constant, litestar, api)
            )
            for server in (limit, stock, product):
                await server.run(1, seconds=2)
            best = await wrk.in_turn(
                limit=partial(limit.run, 1), stock=partial(stock.run, 1), product=partial(product.run, 1)
            )
            many = best["product"]
            report.at_least("creates, 64 clients", many.per_s, 5_000, limit=best["limit"].per_s, ratio=0.6)
            report.beside(many, best["limit"])
            report.at_least(
                "the same, beside Litestar as it comes",
                many.per_s,
                None,
                limit=best["stock"].per_s,
                ratio=0.6,
            )
            report.show("the same, p99", many.p99, "<= 60", good=many.p99 <= 60, unit="ms")
            alone: list[float] = []
            bare: list[float] = []
            for _ in range(wrk.ROUNDS):
                alone.append((await product.run(1, clients=1, seconds=2)).p50)
                bare.append(await bare_call_ms(world, 500))
            report.at_most("one client, p50", min(alone), 2, limit=min(bare))
            group = (await wrk.in_turn(product=partial(product.run, RECIPIENTS)))["product"]
            rate = group.per_s * RECIPIENTS
            report.show("recipients, 100 a request", rate, ">= 25000", good=rate >= 25_000, unit="/s")
            await measure_broadcasts(world, api, options.seconds, report)
    report.end()


async def measure_broadcasts(world: Stage, server: Server, seconds: float, report: Report) -> None:
    """One client, to few and to many in turn, so that noise meets both."""
    times: dict[int, list[float]] = {}
    keys: dict[int, str] = {}
    for size in (SUBSCRIBERS_FEW, SUBSCRIBERS_MANY):
        async with world.pool.acquire() as connection:
            environment_id: UUID = await growth_world.create_environment(connection, f"of-{size}")
            await growth_world.create_crowd(connection, environment_id, size)
            keys[size] = await stage.create_key(connection, environment_id)
    await stage.settle(world.pool)
    for _ in range(4):
        for size, key in keys.items():
            load = await Creates(server, key, seconds).run(0, clients=1, seconds=2, path="/v1/broadcasts")
            times.setdefault(size, []).append(load.p50)
    few, many = (min(times[size]) for size in (SUBSCRIBERS_FEW, SUBSCRIBERS_MANY))
    report.at_most("broadcast to 100 000, beside one to 100, p50", many, 1.2, limit=few)
