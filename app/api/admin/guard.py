"""Who may use the admin plane: a session, and for most routes a capability of its user's role.

The order is the contract's: the header against forged requests (403), the session (401), whatever a
request can be malformed in (400), the capability (403), what is there (404) and in what state (409).
"""

from typing import Any, Final, cast
from urllib.parse import unquote_to_bytes
from uuid import UUID

import msgspec
from litestar import Request as LitestarRequest
from litestar.types import HTTPScope

from app.api.describe import Operation, describe
from app.api.replies import Headers
from app.api.request import Request
from app.contract.admin import Capability
from app.contract.errors import Forbidden
from app.db.admin_sessions import AdminIdentity
from app.services import acting

PLANE: Final = "/admin/api"
COOKIE: Final = "bellwire_admin"
HEADER: Final = "x-bellwire-admin"
ANSWERS: Final[Headers] = [(b"cache-control", b"no-store")]  # on every one of the plane
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SEGMENTS: Final = PLANE.encode().split(b"/")
_CAPABILITY: Final = "capability"


def covers(raw_path: bytes) -> bool:
    """However its first two segments are escaped, and whatever may be wrong with those after them."""
    first = raw_path.split(b"/", 3)[:3]
    return first == _SEGMENTS or (b"%" in raw_path and [unquote_to_bytes(one) for one in first] == _SEGMENTS)


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
        raise acting.no_session()
    request.scope["user"] = identity
    request.query.check()


def admit(request: Request, *, own: UUID | None = None) -> AdminIdentity:
    """Who is asking, if they may. Call it once all of the request is decoded; a write asks again itself.

    own: the user that the request is about, where everybody may do it to themselves. Raises Forbidden.
    """
    identity = cast("AdminIdentity", request.scope["user"])
    capability = None if own == identity.id else capability_of(request.scope["route_handler"].opt)
    acting.check_role(identity.role, capability)
    return msgspec.structs.replace(identity, acts_by=capability)
