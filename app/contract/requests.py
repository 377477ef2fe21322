"""What callers send. Unknown fields are refused; null means absent.

Each Struct checks its own values, so that a decoded request is a valid one, but for what only the
database's clock can tell.
"""

import hashlib
from datetime import datetime
from typing import Final, Literal

import msgspec

from app.contract import timestamps

MAX_RECIPIENTS: Final = 100
MAX_PREFERENCES: Final = 100
MAX_PAYLOAD: Final = 16_384
_EMPTY: Final = msgspec.Raw(b"{}")


def _check_length(name: str, text: str) -> None:
    if not 1 <= len(text.encode()) <= 255:
        raise ValueError(f"{name} must be 1 to 255 bytes of UTF-8")


def _check_time(name: str, moment: datetime | None) -> None:
    if moment is not None and not timestamps.is_acceptable(moment):
        raise ValueError(f"{name} must be RFC 3339 with an offset, years 1970 to 9998")


def _payload(raw: msgspec.Raw) -> msgspec.Raw:
    """The payload as sent, `{}` where it is null. Raises ValueError."""
    body = bytes(raw).strip()
    if body == b"null":
        return _EMPTY
    if not body.startswith(b"{"):
        raise ValueError("payload must be an object")
    if len(body) > MAX_PAYLOAD:
        raise ValueError(f"payload must be at most {MAX_PAYLOAD} bytes")
    return msgspec.Raw(body)


class _Message(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    category: str
    payload: msgspec.Raw = msgspec.field(default_factory=lambda: _EMPTY)
    idempotency_key: str | None = None
    deliver_at: datetime | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        _check_length("category", self.category)
        if self.idempotency_key is not None:
            _check_length("idempotency_key", self.idempotency_key)
        _check_time("deliver_at", self.deliver_at)
        _check_time("expires_at", self.expires_at)
        self.payload = _payload(self.payload)

    @property
    def payload_text(self) -> str:
        """The payload's own bytes, as text."""
        return bytes(self.payload).decode()

    def fingerprint(self) -> bytes:
        """32 bytes that tell this request from another with the same idempotency key."""
        parts = [
            *self._addressees(),
            self.category,
            self.payload_text,
            *("" if at is None else str(timestamps.to_us(at)) for at in (self.deliver_at, self.expires_at)),
        ]
        return hashlib.sha256(msgspec.json.encode(parts)).digest()

    def _addressees(self) -> list[str]:
        return []


class NotificationRequest(_Message, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/notifications."""

    subscriber_id: str | None = None
    subscriber_ids: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.subscriber_id is None) == (self.subscriber_ids is None):
            raise ValueError("give exactly one of subscriber_id and subscriber_ids")
        if self.subscriber_id is not None:
            _check_length("subscriber_id", self.subscriber_id)
        if self.subscriber_ids is not None:
            if not 1 <= len(self.subscriber_ids) <= MAX_RECIPIENTS:
                raise ValueError(f"subscriber_ids must have 1 to {MAX_RECIPIENTS} entries")
            for at, subscriber_id in enumerate(self.subscriber_ids):
                _check_length(f"subscriber_ids[{at}]", subscriber_id)

    @property
    def recipients(self) -> list[str]:
        """Duplicates collapsed; the first position kept."""
        return list(dict.fromkeys(self.subscriber_ids or [self.subscriber_id or ""]))

    def _addressees(self) -> list[str]:
        return self.recipients


class BroadcastRequest(_Message, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/broadcasts."""


class SubscriberRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """PUT /v1/subscribers/{id}."""

    created_at: datetime | None = None

    def __post_init__(self) -> None:
        _check_time("created_at", self.created_at)


class UpTo(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The newest item on screen of each source, as TypeIDs."""

    notification: str | None = None
    broadcast: str | None = None


class MarkAllRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/inbox/read-all, seen-all, archive-all. up_to: one item's TypeID, or one of each source."""

    up_to: str | UpTo | None = None


class PreferenceEntry(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    category: str
    channel: Literal["in_app"]
    enabled: bool

    def __post_init__(self) -> None:
        _check_length("category", self.category)


class PreferencesRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """PUT /v1/inbox/preferences: a partial update, applied in order."""

    preferences: list[PreferenceEntry]

    def __post_init__(self) -> None:
        if not 1 <= len(self.preferences) <= MAX_PREFERENCES:
            raise ValueError(f"preferences must have 1 to {MAX_PREFERENCES} entries")


class TokenRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/subscribers/{id}/tokens."""

    ttl_seconds: int | None = None

    def __post_init__(self) -> None:
        if self.ttl_seconds is not None and not 60 <= self.ttl_seconds <= 86_400:
            raise ValueError("ttl_seconds must be 60 to 86400")


class ImportLine(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One line of POST /v1/subscribers/import."""

    subscriber_id: str
    created_at: datetime | None = None

    def __post_init__(self) -> None:
        _check_length("subscriber_id", self.subscriber_id)
        _check_time("created_at", self.created_at)
