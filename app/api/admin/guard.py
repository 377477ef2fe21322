"""Who may use the admin plane: a session, and for most routes a capability of its user's role.

The order is the contract's: the header against forged requests (403), the session (401), whatever a
request can be malformed in (400), the capability (403), what is there (404) and in what state (409).
"""

from typing import Any, Final, cast
from uuid import UUID

from litestar import Request as LitestarRequest
from litestar.types import HTTPScope

from app.api.describe import Operation, describe
from app.api.replies import Headers
from app.api.request import Request
from app.contract.admin import Capability
from app.contract.errors import Forbidden, Unauthorized
from app.db.admin_sessions import AdminIdentity

PLANE: Final = "/admin/api"
COOKIE: Final = "bellwire_admin"
HEADER: Final = "x-bellwire-admin"
ANSWERS: Final[Headers] = [(b"cache-control", b"no-store")]  # on every one of the plane
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_CAPABILITY: Final = "capability"


def covers(path: str) -> bool:
    return path == PLANE or path.startswith(PLANE + "/")


def refuse_forgeries(scope: HTTPScope) -> None:
    """A page of somebody else's can make a browser send the cookie, but no such header. Raises Forbidden."""
    if scope["method"] in SAFE:
        return
    if not any(value for name, value in scope["headers"] if name == HEADER.encode()):
        raise Forbidden("X-Bellwire-Admin must be given, with any value")


def admits(capability: Capability | None, operation: Operation) -> dict[str, Any]:
    """The `opt` of a route. capability: what admit() asks for; None: whoever is logged in may."""
    return {**describe(operation), _CAPABILITY: capability}


def capability_of(opt: dict[str, Any]) -> Capability | None:
    return opt.get(_CAPABILITY)


async def require_session(received: LitestarRequest[Any, Any, Any]) -> None:
    """The `before_request` of all but the log-in. Raises Unauthorized, InvalidRequest, Unavailable."""
    request = cast("Request", received)
    token = request.cookies.get(COOKIE)
    identity = await request.services.admin_sessions.identity(token) if token else None
    if identity is None:
        raise Unauthorized("log in first: no session, or it has ended")
    request.scope["user"] = identity
    request.query.check()


def admit(request: Request, *, own: UUID | None = None) -> AdminIdentity:
    """Who is asking, if they may. Call it once all of the request is decoded.

    own: the user that the request is about, where everybody may do it to themselves. Raises Forbidden.
    """
    identity = cast("AdminIdentity", request.scope["user"])
    capability = capability_of(request.scope["route_handler"].opt)
    if capability is not None and capability not in identity.capabilities and own != identity.id:
        raise Forbidden(f"the role {identity.role} has no {capability}")
    return identity
