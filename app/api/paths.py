"""Paths as they were sent. Routing sees them escaped, so that %2F and %3F stay data until a handler asks."""

from urllib.parse import quote

from app.contract import strings
from app.contract.errors import NotFound


def canonical(raw: bytes) -> str:
    """The path with each segment escaped in one way, whatever way it was sent.

    Raises InvalidRequest (a bad escape, or not UTF-8), NotFound (an empty segment: no route has one).
    """
    if b"//" in raw or (raw.endswith(b"/") and raw != b"/"):
        strings.percent_decode(raw, "the path")
        raise NotFound("no such path")
    if b"%" not in raw:
        return strings.utf8(raw, "the path")
    return "/".join(quote(strings.percent_decode(part, "the path"), safe="") for part in raw.split(b"/"))
