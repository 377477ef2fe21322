"""Who may go on: an API key, or a person's proof.

A handler names one of them as its `before_request`: it runs after routing and before the body is read.
(Litestar's guards run there too, but copy the whole handler for each request.)
"""

import contextlib
from typing import Any, cast

from litestar import Request as LitestarRequest

from app.api.request import Request
from app.contract import credentials
from app.contract.credentials import AUTHORIZATION, QUERY_NAMES
from app.contract.errors import Unauthorized, Unavailable
from app.services.auth import Identity


async def require_api_key(received: LitestarRequest[Any, Any, Any]) -> None:
    """Raises Unauthorized, RateLimited, InvalidRequest (a query that cannot be decoded), Unavailable."""
    request = cast("Request", received)
    services = request.services
    await request.prove(_by_api_key)
    key = request.api_key
    services.key_usage.note(key)
    await services.rate_limits.charge_api_key(key.id)
    request.query.check()


async def require_subscriber(received: LitestarRequest[Any, Any, Any]) -> None:
    """Raises Unauthorized, RateLimited, InvalidRequest (badly encoded credentials or query), Unavailable."""
    request = cast("Request", received)
    await request.prove(_by_credentials)
    await request.services.rate_limits.charge_subscriber(request.identity)
    for name in QUERY_NAMES:
        request.query.one(name)  # a header had precedence, but given twice is wrong all the same
    request.query.check()


async def create_subscriber(request: Request) -> None:
    """Whoever proved who they are exists from then on, also where the request itself came to nothing.

    For a request that failed only: what succeeds has created them on its way.
    """
    identity = request.scope.get("user")
    if isinstance(identity, Identity):
        with contextlib.suppress(Unauthorized, Unavailable):
            await request.confirm()
            await request.services.subscribers.ensure(identity.environment_id, identity.subscriber_id)


async def _by_api_key(request: Request) -> None:
    request.scope["auth"] = await request.services.authenticator.api_key(request.header(AUTHORIZATION))


async def _by_credentials(request: Request) -> None:
    given = credentials.read(request.header, request.query.one)
    request.scope["user"] = None  # where the proof holds no longer, nobody is created
    request.scope["user"] = await request.services.authenticator.subscriber(given)
