"""The admin plane: environments, their secrets and their keys; what is sent, and what comes back."""

import re
from typing import Final

import msgspec

from app.contract import ids
from app.contract.admin import check_name

_SLUG: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")


def check_slug(slug: str) -> None:
    """Raises ValueError."""
    if not _SLUG.fullmatch(slug):
        raise ValueError("slug must be 1 to 255 of A-Z a-z 0-9 _ -")
    if ids.decode("env", slug) is not None:  # in paths it would be taken for the id of another
        raise ValueError("slug must not be the id of an environment")


class EnvironmentRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /admin/api/environments."""

    slug: str
    name: str
    require_subscriber_hash: bool | None = None

    def __post_init__(self) -> None:
        check_slug(self.slug)
        check_name(self.name)


class EnvironmentUpdate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """PATCH /admin/api/environments/{env}: what is absent stays."""

    name: str | None = None
    require_subscriber_hash: bool | None = None

    def __post_init__(self) -> None:
        if self.name is not None:
            check_name(self.name)


class ApiKeyRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /admin/api/environments/{env}/api-keys."""

    name: str

    def __post_init__(self) -> None:
        check_name(self.name)


class Environment(msgspec.Struct, frozen=True):
    id: str
    slug: str
    name: str
    require_subscriber_hash: bool
    created_at: str


class EnvironmentDetail(msgspec.Struct, frozen=True):
    """subscriber_hmac_secret: left out for whoever may not read it."""

    id: str
    slug: str
    name: str
    require_subscriber_hash: bool
    created_at: str
    has_previous_secret: bool
    subscriber_hmac_rotated_at: str | None
    subscriber_hmac_secret: str | msgspec.UnsetType = msgspec.UNSET


class Rotation(msgspec.Struct, frozen=True):
    """POST …/hmac/rotate."""

    subscriber_hmac_secret: str
    has_previous_secret: bool
    subscriber_hmac_rotated_at: str


class ApiKey(msgspec.Struct, frozen=True):
    id: str
    name: str
    key_prefix: str
    created_at: str
    last_used_at: str | None
    revoked_at: str | None


class NewApiKey(msgspec.Struct, frozen=True):
    """POST …/api-keys: the only time that the key can be seen."""

    id: str
    name: str
    key_prefix: str
    key: str
    created_at: str
