"""/admin: the console, a page over the admin API. It reads its own addresses, and asks only this server."""

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from app.api import replies
from app.api.demo_page import CLIENT_DIRECTORIES
from app.api.replies import Reply
from app.api.request import Request
from app.contract.errors import NotFound

_CONSOLE: Final = Path(__file__).parent / "console"
_FOLDERS: Final[Mapping[str, Sequence[Path]]] = {
    **{name: (_CONSOLE / name,) for name in ("core", "parts", "pages", "styles")},
    "client": CLIENT_DIRECTORIES,  # draws items exactly as the bell does
}
_NAME: Final = re.compile(r"[a-z0-9-]+(\.js|\.css|\.svg)")
_TYPES: Final = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml",
}
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'; form-action 'none'; "
    b"require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)


@get("/admin", sync_to_thread=False)
def page(request: Request) -> Reply:
    return _file(request, _CONSOLE / "console.html")


@get("/admin/{rest:path}", sync_to_thread=False)
def inner_page(request: Request) -> Reply:
    """The same page: the console reads its address itself. What lies below /admin/api never comes here."""
    return _file(request, _CONSOLE / "console.html")


@get("/admin/assets/{folder:str}/{name:str}", sync_to_thread=False)
def asset(request: Request) -> Reply:
    name = request.path_value("name")
    if _NAME.fullmatch(name) is not None:
        for directory in _FOLDERS.get(request.path_value("folder"), ()):
            if (directory / name).is_file():
                return _file(request, directory / name)
    raise NotFound("no such file")


HANDLERS: Final[Sequence[HTTPRouteHandler]] = (page, inner_page, asset)


def _file(request: Request, path: Path) -> Reply:
    """With a strong ETag: a browser asks again each time, and gets the body only when it has changed."""
    body, etag = _read(path, path.stat().st_mtime_ns)
    headers = (*_HEADERS, (b"etag", etag))
    if request.header("if-none-match") == etag:
        return Reply(304, headers=list(headers))
    return replies.content(body, _TYPES[path.suffix], *headers)


@functools.lru_cache(maxsize=256)
def _read(path: Path, changed_ns: int) -> tuple[bytes, bytes]:
    """Read again once it changed, so that whoever works on the console only reloads."""
    del changed_ns
    body = path.read_bytes()
    return body, b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
