"""Who may go on: a management key, or a person's proof. Runs after routing and before the body is read."""

from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from app.api.request import Request
from app.contract import credentials
from app.contract.credentials import AUTHORIZATION, QUERY_NAMES

Connection = ASGIConnection[Any, Any, Any, Any]


async def require_api_key(connection: Connection, _: BaseRouteHandler) -> None:
    """Raises Unauthorized, InvalidRequest (a query that cannot be decoded), Unavailable."""
    request = cast("Request", connection)
    services = request.services
    key = await services.authenticator.api_key(request.header(AUTHORIZATION))
    request.scope["auth"] = key
    services.key_usage.note(key)
    request.query.check()


async def require_subscriber(connection: Connection, _: BaseRouteHandler) -> None:
    """Raises Unauthorized, InvalidRequest (credentials or a query that cannot be decoded), Unavailable."""
    request = cast("Request", connection)
    given = credentials.read(request.header, request.query.one)
    request.scope["user"] = await request.services.authenticator.subscriber(given)
    for name in QUERY_NAMES:
        request.query.one(name)  # a header had precedence, but given twice is wrong all the same
    request.query.check()
