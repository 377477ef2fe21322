"""What callers receive. Times are text as app.contract.timestamps formats them; ids are TypeIDs."""

from typing import Generic, Literal, TypeVar

import msgspec

from app.contract.ids import Source

T = TypeVar("T")
Status = Literal["scheduled", "delivered"]


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """Every list but the inbox. next_cursor is null exactly when nothing follows."""

    items: list[T]
    next_cursor: str | None


class SentNotification(msgspec.Struct, frozen=True):
    id: str
    subscriber_id: str


class Sent(msgspec.Struct, frozen=True):
    """POST /v1/notifications, in request order."""

    idempotency_key: str
    notifications: list[SentNotification]


class SentBroadcast(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/broadcasts. deliver_at and expires_at only where given."""

    id: str
    category: str
    payload: msgspec.Raw
    created_at: str
    idempotency_key: str
    deliver_at: str | None = None
    expires_at: str | None = None


class Subscriber(msgspec.Struct, frozen=True):
    """PUT /v1/subscribers/{id}."""

    subscriber_id: str
    created_at: str


class Item(msgspec.Struct, frozen=True):
    """One line of the inbox."""

    id: str
    source: Source
    category: str
    payload: msgspec.Raw
    occurred_at: str
    read: bool
    archived: bool


class Page(msgspec.Struct, frozen=True):
    """GET /v1/inbox/items. next_cursor is null exactly when nothing follows."""

    items: list[Item]
    next_cursor: str | None


class Counts(msgspec.Struct, frozen=True):
    """version grows with every change of this inbox; below 2^53."""

    unread: int
    unseen: int
    version: int


class SubscriberDetail(msgspec.Struct, frozen=True):
    """GET /v1/subscribers/{id}."""

    subscriber_id: str
    created_at: str
    counts: Counts


class CategoryCounts(msgspec.Struct, frozen=True):
    unread: int
    unseen: int


class CountsByCategory(msgspec.Struct, frozen=True):
    """GET /v1/inbox/counts?by=category: unmuted categories with a number above zero."""

    unread: int
    unseen: int
    version: int
    categories: dict[str, CategoryCounts]


class Notification(msgspec.Struct, frozen=True):
    """GET /v1/notifications/{id}. visible_at is null while it waits."""

    id: str
    subscriber_id: str
    category: str
    payload: msgspec.Raw
    status: Status
    created_at: str
    deliver_at: str | None
    visible_at: str | None
    expires_at: str | None
    read: bool
    archived: bool


class Broadcast(msgspec.Struct, frozen=True):
    """GET /v1/broadcasts/{id}."""

    id: str
    category: str
    payload: msgspec.Raw
    status: Status
    created_at: str
    deliver_at: str | None
    visible_at: str | None
    expires_at: str | None
    idempotency_key: str


class TimelineEntry(msgspec.Struct, frozen=True):
    status: Literal["created", "delivered_hint", "seen", "read"]
    occurred_at: str


class Timeline(msgspec.Struct, frozen=True):
    """GET /v1/notifications/{id}/timeline, oldest first."""

    id: str
    subscriber_id: str
    timeline: list[TimelineEntry]


class Preference(msgspec.Struct, frozen=True):
    category: str
    channel: Literal["in_app"]
    enabled: bool


class Preferences(msgspec.Struct, frozen=True):
    """What was set explicitly, by category."""

    preferences: list[Preference]


class Categories(msgspec.Struct, frozen=True):
    """Categories seen in this environment, sorted."""

    categories: list[str]


class Token(msgspec.Struct, frozen=True):
    token: str
    expires_at: str


class BadLine(msgspec.Struct, frozen=True):
    line: int
    message: str


class Imported(msgspec.Struct, frozen=True):
    """POST /v1/subscribers/import. line counts physical lines from 1."""

    created: int
    existing: int
    errors: list[BadLine]


class Deleted(msgspec.Struct, frozen=True):
    """DELETE /v1/notifications?idempotency_key=K."""

    deleted: int
