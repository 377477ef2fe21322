"""Settings are values: read once from the environment by `load`, passed down, redacted when shown."""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar, cast
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


@contextmanager
def binding(variable: str, address: Address) -> Generator[None]:
    """For a block that listens where the variable says. Raises SettingsError, naming it, for an OSError."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SettingsError(f"{variable}={address}: {reason}") from None


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
    otlp_endpoint: str | None = None
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
    for name, variable in _VARIABLES.items():
        text = environ.get(name, "")
        if not text:
            continue
        try:
            found[variable.field] = variable.parse(text)
        except ValueError as error:
            raise SettingsError(f"{name} {error}") from None
    for name in ("DATABASE_URL", "REDIS_URL"):
        if _VARIABLES[name].field not in found:
            raise SettingsError(f"{name} is not set: give the URL, or use bin/dev, which starts its own")
    for name, other in (_ADMIN, _ADMIN[::-1]):
        if _VARIABLES[name].field in found and _VARIABLES[other].field not in found:
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


def _collector(text: str) -> str:
    if text.partition("://")[0] not in ("http", "https") or not _has_readable_place(text):
        raise ValueError("must be a URL such as http://127.0.0.1:4318 (OTLP over HTTP)")
    return text


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
_API: Final = ("api",)
_GATEWAY: Final = ("gateway",)
_WORKER: Final = ("worker",)


class _Variable(msgspec.Struct, frozen=True):
    """about: what --help says of it, in one line. roles: the processes that it matters to."""

    field: str
    parse: Callable[[str], object]
    about: str
    roles: tuple[str, ...] = _API + _GATEWAY + _WORKER


_VARIABLES: Final[Mapping[str, _Variable]] = {
    "DATABASE_URL": _Variable("database_url", _url("postgresql", "postgres"), "PostgreSQL 15 or later"),
    "REDIS_URL": _Variable(
        "redis_url",
        _url("redis", "rediss", "redis+cluster", "unix"),
        "Redis 7 or later, or Valkey; redis+cluster:// for a cluster",
    ),
    "BELLWIRE_LISTEN": _Variable("listen", _address, "where the API listens; port 0 takes a free one", _API),
    "BELLWIRE_GATEWAY_LISTEN": _Variable(
        "gateway_listen", _address, "where the gateway listens; port 0 takes a free one", _GATEWAY
    ),
    "BELLWIRE_METRICS_LISTEN": _Variable(
        "metrics_listen", _address, "/metrics of a worker, and of each of --workers from this port on"
    ),
    "BELLWIRE_ALLOWED_ORIGINS": _Variable(
        "allowed_origins", _origins, "who may use the inbox from a browser, with commas", _API + _GATEWAY
    ),
    "BELLWIRE_MAX_CONNECTIONS": _Variable(
        "max_connections", _number(int, 1, 10_000_000), "sockets a gateway process takes", _GATEWAY
    ),
    "BELLWIRE_MAX_CONNECTIONS_PER_SUBSCRIBER": _Variable(
        "max_connections_per_subscriber",
        _number(int, 1, 10_000),
        "sockets, or streams, of one subscriber per process",
        _API + _GATEWAY,
    ),
    "BELLWIRE_PG_POOL_SIZE": _Variable(
        "pg_pool_size", _number(int, 2, 1000), "PostgreSQL connections per process; hints have one more"
    ),
    "BELLWIRE_MIGRATE_ON_BOOT": _Variable(
        "migrate_on_boot", _flag, "bring the database to this release's schema at boot", _API
    ),
    "BELLWIRE_DEV_ENVIRONMENT": _Variable(
        "dev_environment", _text, "made at boot, without proof of identity: for development only", _API
    ),
    "BELLWIRE_DEV_API_KEY": _Variable("dev_api_key", _text, "its key, made with it", _API),
    "BELLWIRE_ADMIN_EMAIL": _Variable(
        "admin_email", _text, "at boot they are made an enabled admin, whatever became of them", _API
    ),
    "BELLWIRE_ADMIN_PASSWORD": _Variable("admin_password", _text, "that admin's password", _API),
    "BELLWIRE_DEMO": _Variable("demo", _flag, "serve /demo, which hands out the development key", _API),
    "BELLWIRE_TLS_TERMINATED": _Variable(
        "tls_terminated", _flag, "TLS ends in a proxy in front, which sets X-Forwarded-For", _API
    ),
    "BELLWIRE_RETENTION_MONTHS": _Variable(
        "retention_months", _number(int, 1, 1200), "delivered items older than this are removed", _WORKER
    ),
    "BELLWIRE_API_KEY_RATE": _Variable(
        "api_key_rate", _number(float, 0.0, 1e6), "requests a second of an API key; 0: no limit", _API
    ),
    "BELLWIRE_API_KEY_BURST": _Variable(
        "api_key_burst", _number(float, 1.0, 1e6), "and how many at once", _API
    ),
    "BELLWIRE_SUBSCRIBER_RATE": _Variable(
        "subscriber_rate",
        _number(float, 0.0, 1e6),
        "requests and connects a second of a subscriber; 0: no limit",
        _API + _GATEWAY,
    ),
    "BELLWIRE_SUBSCRIBER_BURST": _Variable(
        "subscriber_burst", _number(float, 1.0, 1e6), "and how many at once", _API + _GATEWAY
    ),
    "BELLWIRE_SHUTDOWN_GRACE_S": _Variable(
        "shutdown_grace_s",
        _number(float, 0.0, 3600.0),
        "seconds from being told to stop to taking no more connections",
        _API + _GATEWAY,
    ),
    "BELLWIRE_DRAIN_S": _Variable(
        "drain_s",
        _number(float, 0.0, 3600.0),
        "seconds after that in which sockets, and requests, end",
        _API + _GATEWAY,
    ),
    "OTEL_EXPORTER_OTLP_ENDPOINT": _Variable(
        "otlp_endpoint",
        _collector,
        "an OpenTelemetry collector, as http://HOST:4318, gets a span of each request",
        _API,
    ),
    "BELLWIRE_LOG_FORMAT": _Variable("log_format", _choice("text", "json"), "text, or json for machines"),
    "BELLWIRE_LOG_LEVEL": _Variable(
        "log_level", _choice("debug", "info", "warning", "error"), "debug, info, warning or error"
    ),
}


class Described(msgspec.Struct, frozen=True):
    """A variable for whoever is to set it. default: as it would be set; None where it must be."""

    name: str
    about: str
    default: str | None


def describe(role: str) -> list[Described]:
    """What matters to `api`, `gateway` or `worker`; to anything else, all there is."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    return [
        Described(name, variable.about, _spell(defaults[variable.field]))
        for name, variable in _VARIABLES.items()
        if role in variable.roles or role not in _API + _GATEWAY + _WORKER
    ]


def _spell(default: object) -> str | None:
    match default:
        case msgspec.NODEFAULT:
            return None
        case None:
            return ""
        case bool():
            return str(default).lower()
        case float():
            return f"{default:g}"
        case tuple():
            return ",".join(map(str, cast("tuple[object, ...]", default)))
        case _:
            return str(default)
