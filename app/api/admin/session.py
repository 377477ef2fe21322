"""/admin/api/login, logout and me."""

from ipaddress import IPv6Address, ip_address
from typing import Final

import msgspec
from litestar import get, post

from app.api import replies
from app.api.admin.guard import COOKIE, admit, admits, require_session
from app.api.describe import Answer, Operation
from app.api.replies import Reply
from app.api.request import Request
from app.contract.admin import LoginRequest, Me
from app.services.admin_sessions import describe

_LOG_IN: Final = msgspec.json.Decoder(LoginRequest)
_FORWARDED_FOR: Final = "x-forwarded-for"


@post(
    "/admin/api/login",
    opt=admits(
        None,
        Operation(
            summary="Log in",
            tag="Admin",
            body=LoginRequest,
            answers={
                200: Answer(
                    "You are in.", Me, headers={"Set-Cookie": f"`{COOKIE}`: the session, for 8 hours."}
                )
            },
            errors=["invalid_request", "unauthorized", "rate_limited", "internal", "unavailable"],
        ),
    ),
)
async def log_in(request: Request) -> Reply:
    """The same answer for an unknown email, a disabled user and a wrong password.

    Ten failures of an email or thirty from an address within 15 minutes, and no more is tried until the
    first of them is that long ago.
    """
    wanted = await request.decode(_LOG_IN)
    begun = await request.services.admin_sessions.log_in(wanted, _address(request))
    return replies.json(begun.me, _cookie(request, begun.token))


@post(
    "/admin/api/logout",
    before_request=require_session,
    opt=admits(None, Operation(summary="Log out", tag="Admin", answers={204: Answer("You are out.")})),
)
async def log_out(request: Request) -> Reply:
    """Ends this session; others of the same user go on."""
    await request.read()
    await request.services.admin_sessions.log_out(admit(request))
    return Reply(204, headers=[_cookie(request, "", b"; Max-Age=0")])


@get(
    "/admin/api/me",
    before_request=require_session,
    opt=admits(None, Operation(summary="Who am I?", tag="Admin", answers={200: Answer("You.", Me)})),
)
async def get_me(request: Request) -> Reply:
    """With what your role lets you do."""
    return replies.json(describe(admit(request)))


def _cookie(request: Request, token: str, extra: bytes = b"") -> tuple[bytes, bytes]:
    secure = b"; Secure" if request.services.settings.tls_terminated else b""
    value = f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/admin".encode()
    return b"set-cookie", value + secure + extra


def _address(request: Request) -> str:
    """Whom the limit per address is for: where TLS ends in front, whom the proxy there says it has served.

    Of IPv6 the network: one host has all its addresses.
    """
    client = request.scope["client"]
    text = "" if client is None else client[0]
    if request.services.settings.tls_terminated:
        last = request.header_list(_FORWARDED_FOR).rpartition(b",")[2]
        text = last.decode("latin-1").strip() or text
    try:
        address = ip_address(_without_port(text))
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


def _without_port(text: str) -> str:
    """Of 192.0.2.1:443 and [2001:db8::1]:443 the address; an IPv6 address alone has no port."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
