"""The admin plane: roles and what they may do, what its callers send, what they receive."""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import msgspec

Role = Literal["viewer", "operator", "developer", "admin"]
Capability = Literal[
    "read",
    "apikey:read",
    "apikey:manage",
    "broadcast:compose",
    "dlq:replay",
    "env:manage",
    "env:read_secret",
    "hmac:rotate",
    "user:manage",
]
AuditAction = Literal[
    "session.login",
    "session.logout",
    "user.create",
    "user.update",
    "user.delete",
    "user.set_password",
    "environment.create",
    "environment.update",
    "hmac.rotate",
    "hmac.complete",
    "api_key.create",
    "api_key.revoke",
    "broadcast.send",
    "broadcast.delete",
    "dead_letter.replay",
    "dead_letter.replay_all",
]

CAPABILITIES: Final[Mapping[Role, frozenset[Capability]]] = {
    "viewer": frozenset({"read"}),
    "operator": frozenset({"read", "dlq:replay", "broadcast:compose"}),
    "developer": frozenset({"read", "apikey:read", "apikey:manage", "env:read_secret"}),
    "admin": frozenset(get_args(Capability)),
}

MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 1024
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


def normal_email(text: str) -> str:
    """The spelling that an administrator is known by. Raises ValueError."""
    email = text.strip().lower()
    if len(email.encode()) > 255 or not _EMAIL.fullmatch(email):
        raise ValueError("email must be an address of at most 255 bytes of UTF-8")
    return email


def check_password(password: str, name: str = "password") -> None:
    """Whether it may be somebody's new password. Raises ValueError."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise ValueError(f"{name} must be {MIN_PASSWORD} to {MAX_PASSWORD} characters")


def _check_attempt(password: str, name: str) -> None:
    """Whether it is worth comparing with somebody's password. Raises ValueError."""
    if not 1 <= len(password) <= MAX_PASSWORD:
        raise ValueError(f"{name} must be 1 to {MAX_PASSWORD} characters")


def check_name(name: str) -> None:
    """Raises ValueError."""
    if not 1 <= len(name.encode()) <= 255:
        raise ValueError("name must be 1 to 255 bytes of UTF-8")


class LoginRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /admin/api/login."""

    email: str
    password: str

    def __post_init__(self) -> None:
        self.email = self.email.strip().lower()
        if not 1 <= len(self.email.encode()) <= 255:
            raise ValueError("email must be 1 to 255 bytes of UTF-8")
        _check_attempt(self.password, "password")


class UserRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /admin/api/users."""

    email: str
    name: str
    role: Role
    password: str

    def __post_init__(self) -> None:
        self.email = normal_email(self.email)
        check_name(self.name)
        check_password(self.password)


class UserUpdate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """PATCH /admin/api/users/{id}: what is absent stays."""

    name: str | None = None
    role: Role | None = None
    disabled: bool | None = None

    def __post_init__(self) -> None:
        if self.name is not None:
            check_name(self.name)


class PasswordRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /admin/api/users/{id}/password. current_password: for one's own only."""

    password: str
    current_password: str | None = None

    def __post_init__(self) -> None:
        check_password(self.password)
        if self.current_password is not None:
            _check_attempt(self.current_password, "current_password")


class Me(msgspec.Struct, frozen=True):
    """Who is logged in. capabilities: sorted."""

    id: str
    email: str
    name: str
    role: Role
    capabilities: list[Capability]


class User(msgspec.Struct, frozen=True):
    id: str
    email: str
    name: str
    role: Role
    disabled: bool
    created_at: str
    updated_at: str


class Actor(msgspec.Struct, frozen=True):
    id: str
    email: str


class AuditEntry(msgspec.Struct, frozen=True):
    """actor is null where whoever runs the server did it: at boot, or with the `bellwire` command."""

    id: str
    occurred_at: str
    actor: Actor | None
    action: AuditAction
    target: str | None
    environment_slug: str | None
    details: dict[str, Any]
