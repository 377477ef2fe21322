"""The API process: what it is made of, how it starts, how it ends."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeAlias

import structlog
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app import collector, redis
from app.api import demo_page, docs, errors, routes, server
from app.api.admin import console_page
from app.api.cors import Cors
from app.api.edge import Edge
from app.api.key_usage import KeyUsage
from app.api.readiness import Readiness
from app.api.request import Request
from app.api.services import Services, StreamSource
from app.db.pool import Pool, create_pool
from app.logs import one_line
from app.outbox.publisher import Publisher
from app.security.passwords import Passwords
from app.services.admin_sessions import AdminSessions
from app.services.admin_users import AdminUsers
from app.services.api_keys import ApiKeys
from app.services.audit import Audit
from app.services.auth import Authenticator
from app.services.broadcasts import Broadcasts
from app.services.composer import Composer
from app.services.dead_letters import DeadLetters
from app.services.environments import Environments
from app.services.figures import Reporter
from app.services.imports import Imports
from app.services.inbox import Inbox
from app.services.notifications import Notifications
from app.services.overview import Overviews
from app.services.preferences import Preferences
from app.services.rate_limits import RateLimits
from app.services.records import Records
from app.services.retractions import Retractions
from app.services.subscriber_states import SubscriberStates
from app.services.subscribers import Subscribers
from app.services.tokens import Tokens
from app.settings import Address, Settings, binding
from app.signals import stop_on_signals

if TYPE_CHECKING:
    from app.api.traces import Traces

log = structlog.stdlib.get_logger()

OpenStreams: TypeAlias = Callable[[Pool, Settings], AbstractAsyncContextManager[StreamSource]]


def create_app(services: Services, handlers: Sequence[HTTPRouteHandler] | None = None) -> ASGIApp:
    """handlers: None for those of the product."""
    if handlers is None:
        handlers = (
            *routes.HANDLERS,
            *routes.UNDESCRIBED,
            *docs.HANDLERS,
            *console_page.HANDLERS,
            *(demo_page.HANDLERS if services.settings.demo else ()),
        )
    app = Litestar(
        handlers,
        request_class=Request,
        exception_handlers={Exception: errors.respond},
        openapi_config=None,
        logging_config=None,
    )
    return Edge(app, Cors(services.settings.allowed_origins), services)


@asynccontextmanager
async def wire(settings: Settings, open_streams: OpenStreams | None = None) -> AsyncGenerator[Services]:
    """Everything the API needs, open for as long as the block runs."""
    async with contextlib.AsyncExitStack() as stack:
        traces = stack.enter_context(_open_traces(settings.otlp_endpoint))  # the last to end: it may wait
        pool = await stack.enter_async_context(
            create_pool(settings.database_url, size=settings.pg_pool_size, name="api")
        )
        client = await stack.enter_async_context(redis.connect(settings.redis_url))
        lane = await stack.enter_async_context(
            create_pool(settings.database_url, size=1, name="api hints", durable=False)
        )
        publisher = await stack.enter_async_context(Publisher.open(lane, client))
        people = Subscribers(pool, publisher)
        broadcasts, retractions = Broadcasts(pool, publisher), Retractions(pool, publisher)
        await stack.enter_async_context(Reporter.open(client))
        passwords = stack.enter_context(Passwords.open())
        yield Services(
            settings=settings,
            pool=pool,
            authenticator=Authenticator(pool),
            rate_limits=RateLimits(client, settings),
            notifications=Notifications(pool, publisher),
            broadcasts=broadcasts,
            records=Records(pool),
            retractions=retractions,
            inbox=Inbox(pool, publisher, people),
            preferences=Preferences(pool, publisher, people),
            subscribers=people,
            imports=Imports(people),
            tokens=Tokens(pool, people),
            admin_sessions=AdminSessions(pool, passwords),
            admin_users=AdminUsers(pool, passwords),
            audit=Audit(pool),
            environments=Environments(pool),
            api_keys=ApiKeys(pool),
            composer=Composer(pool, broadcasts, Records(pool), retractions),
            subscriber_states=SubscriberStates(pool),
            dead_letters=DeadLetters(pool),
            overviews=Overviews(pool, client),
            key_usage=await stack.enter_async_context(KeyUsage.open(pool)),
            readiness=Readiness(pool),
            streams=None
            if open_streams is None
            else await stack.enter_async_context(open_streams(pool, settings)),
            traces=traces,
        )


@contextmanager
def _open_traces(endpoint: str | None) -> Generator["Traces | None"]:
    """endpoint: of a collector, or None. Whatever keeps traces away keeps the API up."""
    with contextlib.ExitStack() as stack:
        traces = None
        try:
            if endpoint is not None:
                # Its packages are an extra, and cost 15 MB and 0.3 s.
                from app.api.traces import Traces  # noqa: PLC0415

                traces = stack.enter_context(Traces.open(endpoint))
        except ModuleNotFoundError as error:
            log.warning("no spans are sent: install bellwire[traces]", missing=error.name)
        except ValueError as error:
            log.warning("no spans are sent: a variable of OpenTelemetry's is wrong", error=one_line(error))
        yield traces


async def run(
    settings: Settings,
    *,
    ready: Callable[[Address], None] | None = None,
    reuse_port: bool = False,
    open_streams: OpenStreams | None = None,
    handlers: Sequence[HTTPRouteHandler] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT. ready: is told the bound address.

    Then: not ready; a grace for load balancers to notice; no new connections; what is under way ends.
    reuse_port: several processes share the address. open_streams: where /v1/inbox/stream gets its events.
    handlers: as create_app() takes them. Raises SettingsError where the address cannot be bound.
    """
    stopping = stop_on_signals()
    with binding("BELLWIRE_LISTEN", settings.listen):
        listener = server.listen(settings.listen, reuse_port=reuse_port)
    async with (
        wire(settings, open_streams) as services,
        server.serve(create_app(services, handlers), listener, patience_s=settings.drain_s) as address,
    ):
        collector.tune()
        if ready is not None:
            ready(address)
        await stopping.wait()
        services.readiness.drain()
        await asyncio.sleep(settings.shutdown_grace_s)
        if services.streams is not None:
            services.streams.drain()
