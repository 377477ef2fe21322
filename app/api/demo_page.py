"""/demo: a page with a live bell, for development. It hands the API key to whoever opens it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from litestar import get
from litestar.handlers import HTTPRouteHandler

from app.api import replies
from app.api.replies import Reply
from app.api.request import Request
from app.contract.errors import NotFound
from app.settings import Address, Settings

_DEMO: Final = Path(__file__).parent / "demo"
# The JavaScript client: where the wheel has it, and where a checkout has it.
CLIENT_DIRECTORIES: Final = (_DEMO / "client", _DEMO.parents[2] / "clients" / "javascript")
DIRECTORIES: Final = (_DEMO, *CLIENT_DIRECTORIES)
_NAME: Final = re.compile(r"[a-z0-9-]+(\.html|\.js|\.css|\.svg)")
_TYPES: Final = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml",
}
_POLICY: Final = (
    b"default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' https:; "
    b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS: Final = (
    (b"cache-control", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", _POLICY),
)


@get("/demo", sync_to_thread=False)
def page() -> Reply:
    return _file("demo.html")


@get("/demo/config.json", sync_to_thread=False)
def config(request: Request) -> Reply:
    settings = request.services.settings
    return replies.json(
        {
            "environment": settings.dev_environment,
            "gateway_url": _gateway_url(settings, request.header("host")),
            "api_url": "",
            "api_key": settings.dev_api_key,
        },
        *_HEADERS,
    )


@get("/demo/{name:str}", sync_to_thread=False)
def asset(request: Request) -> Reply:
    return _file(request.path_value("name"))


HANDLERS: Final[Sequence[HTTPRouteHandler]] = (page, config, asset)


def _file(name: str) -> Reply:
    """Read anew each time, so that whoever works on the page only reloads. Raises NotFound."""
    known = _NAME.fullmatch(name)
    if known is not None:
        for directory in DIRECTORIES:
            path = directory / name
            if path.is_file():
                return replies.content(path.read_bytes(), _TYPES[known[1]], *_HEADERS)
    raise NotFound("no such file")


def _gateway_url(settings: Settings, host: bytes | None) -> str:
    """Where the browser finds the gateway: on the host it called us by, where the gateway takes any."""
    listen = settings.gateway_listen
    name = listen.host
    if name in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not bound
        try:
            name = urlsplit(f"//{(host or b'').decode('latin-1')}").hostname or "localhost"
        except ValueError:
            name = "localhost"
    return f"ws://{Address(name, listen.port)}/v1/inbox/ws"
