"""The query of an inbox page, and the tags a caller already has."""

import re
from typing import Final

from app.api.describe import Parameter
from app.api.parameters import PageSize
from app.api.query import Query
from app.contract import strings
from app.contract.errors import InvalidRequest
from app.db.inbox import View
from app.services.cursors import Cursor

MAX_CATEGORIES: Final = 20
_VIEWS: Final[dict[str | None, View]] = {None: "default", "unread": "unread", "archived": "archived"}
_TAG: Final = re.compile(rb'"([0-9a-f]{32})"')

LIMIT: Final = PageSize(most=100, default=20)
OF_PAGE: Final = (
    *LIMIT.parameters,
    Parameter(
        "filter",
        "Only what is unread, or only what is archived. Absent: all that is not archived.",
        {"type": "string", "enum": ["unread", "archived"]},
    ),
    Parameter(
        "category",
        "Only these categories; `billing.*` stands for all that begin with `billing.`. Up to 20.",
        {"type": "array", "items": {"type": "string"}, "maxItems": MAX_CATEGORIES},
    ),
    Parameter("If-None-Match", "ETags that you have: 304 where one still holds.", where="header"),
)


def cursor(query: Query) -> Cursor | None:
    """Raises InvalidRequest."""
    text = query.one("cursor")
    return None if text is None else Cursor.decode(text)


def view(query: Query) -> View:
    """Raises InvalidRequest."""
    found = _VIEWS.get(query.one("filter"))
    if found is None:
        raise InvalidRequest("filter must be unread or archived")
    return found


def categories(query: Query) -> list[str] | None:
    """Categories and `a.*` patterns, None for all. Raises InvalidRequest."""
    found = query.all("category")
    if len(found) > MAX_CATEGORIES:
        raise InvalidRequest(f"category may be given at most {MAX_CATEGORIES} times")
    for category in found:
        strings.check_length(category, "category")
        if category == ".*":
            raise InvalidRequest("category must name something before .*")
    return found or None


def known_etags(if_none_match: bytes) -> list[str]:
    """The tags of an If-None-Match header that can be ours, weak or not; `*` stands for any."""
    if if_none_match.strip() == b"*":
        return ["*"]
    return [tag.decode() for tag in _TAG.findall(if_none_match)]
