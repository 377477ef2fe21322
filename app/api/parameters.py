"""Query parameters that several routes read, and how the reference shows them."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.api.describe import Parameter
from app.api.query import Query
from app.contract import strings, timestamps
from app.contract.errors import InvalidRequest
from app.contract.resources import Status
from app.services import places
from app.services.places import TimedPlace
from app.services.records import NotificationFilter

_STATUSES: Final[dict[str, Status]] = {"scheduled": "scheduled", "delivered": "delivered"}

STATUS: Final = Parameter(
    "status",
    "Only what waits for its `deliver_at`, or only what was delivered.",
    {"type": "string", "enum": list(_STATUSES)},
)
_TIME: Final = {"type": "string", "format": "date-time"}
NOTIFICATION_FILTERS: Final = (
    Parameter("subscriber_id", "Only this person's.", {"type": "string", "minLength": 1, "maxLength": 255}),
    Parameter("category", "Only of this category.", {"type": "string", "minLength": 1, "maxLength": 255}),
    STATUS,
    Parameter("after", "Only from this time on; `visible_at` counts, or `deliver_at` of what waits.", _TIME),
    Parameter("before", "Only before this time.", _TIME),
)


class PageSize(msgspec.Struct, frozen=True, kw_only=True):
    """How many items a page of some list may hold."""

    most: int
    default: int

    def of(self, query: Query) -> int:
        """What `limit` says. Raises InvalidRequest."""
        text = query.one("limit")
        if text is None:
            return self.default
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= self.most):
            raise InvalidRequest(f"limit must be a number from 1 to {self.most}")
        return int(text)

    @property
    def parameters(self) -> tuple[Parameter, Parameter]:
        """Limit and cursor."""
        schema = {"type": "integer", "minimum": 1, "maximum": self.most, "default": self.default}
        return (
            Parameter("limit", "How many items a page holds.", schema),
            Parameter("cursor", "`next_cursor` of the page before. It may be used with another filter."),
        )


PAGE: Final = PageSize(most=200, default=50)  # of every list but the inbox


def place(query: Query) -> UUID | None:
    """Where a list that is ordered by one id is to go on, by its `cursor`. Raises InvalidRequest."""
    text = query.one("cursor")
    return None if text is None else places.decode_place(text)


def timed_place(query: Query) -> TimedPlace | None:
    """The same of one that is ordered by a time. Raises InvalidRequest."""
    text = query.one("cursor")
    return None if text is None else TimedPlace.decode(text)


def status(query: Query) -> Status | None:
    """Raises InvalidRequest."""
    text = query.one("status")
    if text is None:
        return None
    if text not in _STATUSES:
        raise InvalidRequest("status must be scheduled or delivered")
    return _STATUSES[text]


def short_text(query: Query, name: str) -> str | None:
    """1 to 255 bytes. Raises InvalidRequest."""
    text = query.one(name)
    if text is not None:
        strings.check_length(text, name)
    return text


def moment_us(query: Query, name: str) -> int | None:
    """A time, in microseconds since 1970. Raises InvalidRequest."""
    text = query.one(name)
    if text is None:
        return None
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        moment = None
    if moment is None or not timestamps.is_acceptable(moment):
        raise InvalidRequest(f"{name} must be RFC 3339 with an offset (write + as %2B), years 1970 to 9998")
    return timestamps.to_us(moment)


def notification_filter(query: Query) -> NotificationFilter:
    """Raises InvalidRequest."""
    return NotificationFilter(
        subscriber_id=short_text(query, "subscriber_id"),
        category=short_text(query, "category"),
        status=status(query),
        after_us=moment_us(query, "after"),
        before_us=moment_us(query, "before"),
    )
