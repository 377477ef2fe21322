"""What callers receive. Times are text as app.contract.timestamps formats them; ids are TypeIDs."""

import msgspec

from app.contract.ids import Source


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
