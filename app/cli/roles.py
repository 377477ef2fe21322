"""serve, api, gateway, worker: the processes."""

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn

import click
import structlog
from prometheus_client import start_http_server

from app import redis
from app.api import main as api_main
from app.cli import beginning, console, supervisor
from app.cli.variables import Role
from app.db import migrate
from app.services import seeds
from app.services.figures import Reporter
from app.services.rate_limits import RateLimits
from app.settings import Address, Settings, SettingsError, binding
from app.worker import main as worker_main
from realtime import main as gateway_main
from realtime.sse import open_streams

log = structlog.stdlib.get_logger()

# Past its grace and its drain a process has its last words to say, and a worker a statement to end.
_LAST_WORDS_S: Final = 60.0
_WIDE: Final = {"max_content_width": 100}
_workers = click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that share the port.",
)
# Which of them this one is; set for the children of --workers.
_nth = click.option("--nth", type=click.IntRange(0), hidden=True)


@click.command(cls=Role, context_settings=_WIDE)
def serve() -> None:
    """API, gateway and worker together, for one machine."""
    settings = console.settings()
    console.run(_prepare(settings))
    _warn_of_open_origins(settings)
    _supervise(settings, [["gateway"], ["worker"], ["api"]])


@click.command(cls=Role, context_settings=_WIDE)
@_workers
@_nth
def api(workers: int, nth: int | None) -> None:
    """The HTTP API (BELLWIRE_LISTEN)."""
    settings = console.settings()
    if not beginning.IS_CHILD:
        console.run(_prepare(settings))
    _warn_of_open_origins(settings)
    if workers > 1:
        _fan_out(settings, "api", workers, settings.listen, "BELLWIRE_LISTEN")
    if nth is not None:
        _serve_own_metrics("api", settings.metrics_listen, nth)
    console.run(
        _announced(
            "api",
            lambda ready: api_main.run(
                settings, ready=ready, reuse_port=nth is not None, open_streams=open_streams
            ),
        )
    )


@click.command(cls=Role, context_settings=_WIDE)
@_workers
@_nth
def gateway(workers: int, nth: int | None) -> None:
    """The websocket gateway (BELLWIRE_GATEWAY_LISTEN)."""
    settings = console.settings()
    _warn_of_open_origins(settings)
    if workers > 1:
        _fan_out(settings, "gateway", workers, settings.gateway_listen, "BELLWIRE_GATEWAY_LISTEN")
    if nth is not None:
        _serve_own_metrics("gateway", settings.metrics_listen, nth)
    console.run(_gateway(settings, reuse_port=nth is not None))


@click.command(cls=Role, context_settings=_WIDE)
def worker() -> None:
    """The worker: scheduled deliveries, retries, clean-up."""
    settings = console.settings()
    _serve_own_metrics("worker", settings.metrics_listen)

    def ready() -> None:
        log.info("up", role="worker")

    async def work() -> None:
        with console.asking_database(settings.database_url):
            await worker_main.run(settings, ready=ready)

    console.run(work())


def _serve_own_metrics(role: str, first: Address | None, nth: int = 0) -> None:
    """At the nth port from the first, where there is one; in a thread, for as long as the process runs."""
    if first is None:
        return
    address = Address(first.host, first.port + nth if first.port else 0)
    try:
        with binding("BELLWIRE_METRICS_LISTEN", address):
            server, _ = start_http_server(address.port, address.host)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    log.info("metrics", role=role, address=str(Address(address.host, server.server_port)))


async def _gateway(settings: Settings, *, reuse_port: bool) -> None:
    async with redis.connect(settings.redis_url) as client, Reporter.open(client):
        charge = RateLimits(client, settings).charge_subscriber
        await _announced(
            "gateway",
            lambda ready: gateway_main.run(settings, ready=ready, reuse_port=reuse_port, charge=charge),
        )


def _warn_of_open_origins(settings: Settings) -> None:
    """Of what browsers reach: says what is open to all of them."""
    if "*" in settings.allowed_origins and settings.dev_environment is None and not beginning.IS_CHILD:
        log.warning("BELLWIRE_ALLOWED_ORIGINS lets every page use the inbox; name the origins of yours")


async def _prepare(settings: Settings) -> None:
    """Migrates, and seeds what the settings ask for."""
    with console.asking_database(settings.database_url):
        if settings.migrate_on_boot:
            plan = await migrate.migrate(settings.database_url)
            if not plan.is_done:
                log.info("migrated", applied=plan.pending, functions=plan.functions_changed)
        await seeds.plant_environment(settings)
        await seeds.plant_admin(settings)


async def _announced(role: str, serving: Callable[[Callable[[Address], None]], Awaitable[None]]) -> None:
    def ready(address: Address) -> None:
        log.info("up", role=role, address=str(address))

    await serving(ready)


def _fan_out(settings: Settings, role: str, workers: int, address: Address, variable: str) -> None:
    if address.port == 0:
        raise click.ClickException(f"--workers needs a fixed port in {variable}, not port 0")
    _supervise(settings, [[role, f"--nth={n}"] for n in range(workers)])


def _supervise(settings: Settings, commands: Sequence[Sequence[str]]) -> NoReturn:
    patience_s = settings.shutdown_grace_s + settings.drain_s + _LAST_WORDS_S
    raise SystemExit(supervisor.run(commands, os.environ, patience_s=patience_s))
