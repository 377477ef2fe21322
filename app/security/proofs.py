"""How a subscriber proves who it is: an HMAC of its id, or a token signed with the same secret."""

import hmac
import warnings
from collections.abc import Sequence
from typing import Final

import jwt
import msgspec

from app.contract.errors import TokenExpired, Unauthorized

_ALGORITHM: Final = "HS256"
# A secret is 256 bits of base64url; shorter ones exist only where a developer typed one.
warnings.filterwarnings("ignore", category=jwt.warnings.InsecureKeyLengthWarning)


class Claims(msgspec.Struct, frozen=True):
    """What a token says. sub: the customer's subscriber id. env: an environment's slug. exp: Unix seconds."""

    sub: str
    env: str
    exp: float


def subscriber_hash(secret: str, subscriber_id: str) -> str:
    return hmac.digest(secret.encode(), subscriber_id.encode(), "sha256").hex()


def secret_of_hash(proof: str, subscriber_id: str, secrets: Sequence[str]) -> str | None:
    """Which of the secrets (the current one, then the previous) the proof was made with, if any."""
    given = proof.lower().encode("utf-8", "surrogatepass")
    for secret in secrets:
        if hmac.compare_digest(given, subscriber_hash(secret, subscriber_id).encode()):
            return secret
    return None


def mint_token(secret: str, *, subscriber_id: str, environment: str, expires_at: int) -> str:
    return jwt.encode({"sub": subscriber_id, "env": environment, "exp": expires_at}, secret, _ALGORITHM)


def unverified_environment(token: str) -> str | None:
    """The slug a token claims to be for, to find the secret that verifies it. Proves nothing."""
    try:
        slug = jwt.decode(token, options={"verify_signature": False}).get("env")
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    return slug if isinstance(slug, str) else None


def verify_token(token: str, secrets: Sequence[str]) -> tuple[Claims, str]:
    """The claims of a token, and which of the secrets it is signed with.

    Raises TokenExpired, Unauthorized.
    """
    for secret in secrets:
        try:
            claims = jwt.decode(
                token,
                secret,
                algorithms=[_ALGORITHM],
                options={
                    "require": ["exp", "sub", "env"],
                    "verify_aud": False,
                    "verify_iat": False,
                    "verify_jti": False,
                },
            )
            return msgspec.convert(claims, Claims), secret
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError:
            raise TokenExpired("the token has expired") from None
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError, OverflowError, RecursionError):
            raise Unauthorized("the token is not valid") from None
    raise Unauthorized("the token is not valid")
