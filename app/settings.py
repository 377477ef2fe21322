"""Settings are values: read once from the environment by `load`, passed down, redacted when shown."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec

T = TypeVar("T")

UNREADABLE_URL: Final = (
    "cannot be read: expected SCHEME://USER:PASSWORD@HOST:PORT/DATABASE, with special characters in the"
    " password percent-encoded"
)


class SettingsError(Exception):
    """A variable is missing or cannot be parsed; the message is one line that names it."""


class Address(msgspec.Struct, frozen=True):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every variable of contract section 8. Times in seconds, rates a second."""

    database_url: str
    redis_url: str
    listen: Address = Address("0.0.0.0", 8080)  # noqa: S104 - a server in a container listens on all
    gateway_listen: Address = Address("0.0.0.0", 8081)  # noqa: S104
    metrics_listen: Address | None = None
    allowed_origins: tuple[str, ...] = ("*",)
    max_connections: int = 20_000
    max_connections_per_subscriber: int = 8
    pg_pool_size: int = 10
    migrate_on_boot: bool = True
    dev_environment: str | None = None
    dev_api_key: str | None = None
    admin_email: str | None = None
    admin_password: str | None = None
    demo: bool = False
    tls_terminated: bool = False
    retention_months: int = 12
    api_key_rate: float = 500.0
    api_key_burst: float = 1000.0
    subscriber_rate: float = 20.0
    subscriber_burst: float = 100.0
    shutdown_grace_s: float = 0.0
    drain_s: float = 5.0
    log_format: str = "text"
    log_level: str = "info"

    def __repr__(self) -> str:
        return (
            f"Settings(database={_without_password(self.database_url)!r}, "
            f"redis={_without_password(self.redis_url)!r}, listen={self.listen}, "
            f"gateway_listen={self.gateway_listen})"
        )


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables; an empty one counts as unset.

    Raises SettingsError.
    """
    found: dict[str, object] = {}
    for name, (field, parse) in _VARIABLES.items():
        text = environ.get(name, "")
        if not text:
            continue
        try:
            found[field] = parse(text)
        except ValueError as error:
            raise SettingsError(f"{name} {error}") from None
    for name in ("DATABASE_URL", "REDIS_URL"):
        if _VARIABLES[name][0] not in found:
            raise SettingsError(f"{name} is not set: give the URL, or use bin/dev, which starts its own")
    for name, other in (_ADMIN, _ADMIN[::-1]):
        if _VARIABLES[name][0] in found and _VARIABLES[other][0] not in found:
            raise SettingsError(f"{other} is not set, but {name} is: an administrator takes both")
    return msgspec.convert(found, Settings)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:…@{host}"))


def _text(text: str) -> str:
    return text


def _has_readable_place(url: str) -> bool:
    """A `/` in the password, for example, makes a host and a port of what is before it."""
    try:
        place = urlsplit(url)
        port = None if "," in place.netloc else place.port
    except ValueError:
        return False
    return port != 0


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.partition("://")[0] not in schemes:
            raise ValueError(f"must be a URL that begins with {' or '.join(s + '://' for s in schemes)}")
        if not _has_readable_place(text):
            raise ValueError(UNREADABLE_URL)
        return text

    return parse


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("must be HOST:PORT, for example 127.0.0.1:8080")
    return Address(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104


def _flag(text: str) -> bool:
    match text.lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
        case _:
            raise ValueError("must be true or false")


def _number(kind: Callable[[str], T], least: T, most: T) -> Callable[[str], T]:
    def parse(text: str) -> T:
        try:
            number = kind(text)
        except ValueError:
            raise ValueError(f"must be a number from {least} to {most}") from None
        if not least <= number <= most:  # pyright: ignore[reportOperatorIssue] - int or float
            raise ValueError(f"must be a number from {least} to {most}")
        return number

    return parse


def _choice(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text.lower()

    return parse


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in text.split(",") if part.strip())
    if not origins or not all(map(_is_origin, origins)):
        raise ValueError("must be origins such as https://app.example.com, separated by commas, or *")
    return origins


def _is_origin(text: str) -> bool:
    return text == "*" or bool(text.partition("://")[2] and not urlsplit(text).path)


_ADMIN: Final = ("BELLWIRE_ADMIN_EMAIL", "BELLWIRE_ADMIN_PASSWORD")
_VARIABLES: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "DATABASE_URL": ("database_url", _url("postgresql", "postgres")),
    "REDIS_URL": ("redis_url", _url("redis", "rediss", "redis+cluster", "unix")),
    "BELLWIRE_LISTEN": ("listen", _address),
    "BELLWIRE_GATEWAY_LISTEN": ("gateway_listen", _address),
    "BELLWIRE_METRICS_LISTEN": ("metrics_listen", _address),
    "BELLWIRE_ALLOWED_ORIGINS": ("allowed_origins", _origins),
    "BELLWIRE_MAX_CONNECTIONS": ("max_connections", _number(int, 1, 10_000_000)),
    "BELLWIRE_MAX_CONNECTIONS_PER_SUBSCRIBER": ("max_connections_per_subscriber", _number(int, 1, 10_000)),
    "BELLWIRE_PG_POOL_SIZE": ("pg_pool_size", _number(int, 2, 1000)),
    "BELLWIRE_MIGRATE_ON_BOOT": ("migrate_on_boot", _flag),
    "BELLWIRE_DEV_ENVIRONMENT": ("dev_environment", _text),
    "BELLWIRE_DEV_API_KEY": ("dev_api_key", _text),
    "BELLWIRE_ADMIN_EMAIL": ("admin_email", _text),
    "BELLWIRE_ADMIN_PASSWORD": ("admin_password", _text),
    "BELLWIRE_DEMO": ("demo", _flag),
    "BELLWIRE_TLS_TERMINATED": ("tls_terminated", _flag),
    "BELLWIRE_RETENTION_MONTHS": ("retention_months", _number(int, 1, 1200)),
    "BELLWIRE_API_KEY_RATE": ("api_key_rate", _number(float, 0.0, 1e6)),
    "BELLWIRE_API_KEY_BURST": ("api_key_burst", _number(float, 1.0, 1e6)),
    "BELLWIRE_SUBSCRIBER_RATE": ("subscriber_rate", _number(float, 0.0, 1e6)),
    "BELLWIRE_SUBSCRIBER_BURST": ("subscriber_burst", _number(float, 1.0, 1e6)),
    "BELLWIRE_SHUTDOWN_GRACE_S": ("shutdown_grace_s", _number(float, 0.0, 3600.0)),
    "BELLWIRE_DRAIN_S": ("drain_s", _number(float, 0.0, 3600.0)),
    "BELLWIRE_LOG_FORMAT": ("log_format", _choice("text", "json")),
    "BELLWIRE_LOG_LEVEL": ("log_level", _choice("debug", "info", "warning", "error")),
}
