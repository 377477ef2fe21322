"""/openapi.json, and /docs, its reader: Swagger UI from an installed package, nothing from anywhere else."""

import functools
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from swagger_ui_bundle import swagger_ui_path

from app.api import openapi, replies
from app.api.replies import Reply
from app.api.request import Request
from app.contract.errors import NotFound

_OURS: Final = Path(__file__).parent / "reference"
_FILES: Final[Mapping[str, tuple[Path, bytes]]] = {
    "reference.js": (_OURS, b"text/javascript; charset=utf-8"),
    "reference.css": (_OURS, b"text/css; charset=utf-8"),
    "swagger-ui-bundle.js": (swagger_ui_path, b"text/javascript; charset=utf-8"),
    "swagger-ui.css": (swagger_ui_path, b"text/css; charset=utf-8"),
    "favicon-32x32.png": (swagger_ui_path, b"image/png"),
}
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-cache"),
)


@get("/openapi.json", sync_to_thread=False)
def openapi_document() -> Reply:
    return replies.content(_document(datetime.now(UTC).date()), b"application/json", *_HEADERS)


@get("/docs", sync_to_thread=False)
def page() -> Reply:
    return replies.content(_read(_OURS / "reference.html"), b"text/html; charset=utf-8", *_HEADERS)


@get("/docs/{name:str}", sync_to_thread=False)
def asset(request: Request) -> Reply:
    name = request.path_value("name")
    if name not in _FILES:
        raise NotFound("no such file")
    directory, media_type = _FILES[name]
    return replies.content(_read(directory / name), media_type, *_HEADERS)


HANDLERS: Final[Sequence[HTTPRouteHandler]] = (openapi_document, page, asset)


@functools.lru_cache(maxsize=1)
def _document(day: date) -> bytes:
    """Built once a day: its examples name times that are still to come."""
    del day
    return openapi.document().encode()


@functools.cache
def _read(path: Path) -> bytes:
    return path.read_bytes()
