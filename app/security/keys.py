"""Keys and secrets: 256 random bits each. Of an API key only the SHA-256 is ever stored."""

import hashlib
import secrets
from typing import Final

_KEY_PREFIX: Final = "bw_"
_SECRET_PREFIX: Final = "bws_"  # noqa: S105 - public, the secret follows it


def new_api_key() -> str:
    return _KEY_PREFIX + secrets.token_urlsafe(32)


def new_environment_secret() -> str:
    return _SECRET_PREFIX + secrets.token_urlsafe(32)


def new_session_token() -> str:
    """What an administrator's cookie holds. Only its hash is stored, like a key's."""
    return secrets.token_urlsafe(32)


def new_idempotency_key() -> str:
    return "idem_" + secrets.token_urlsafe(24)


def key_hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def display_prefix(key: str) -> str:
    """What a list may show of a key."""
    return key[: min(10, len(key) // 3)]
