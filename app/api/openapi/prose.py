"""What the OpenAPI document says in words: the introduction, the planes, the ways to prove oneself."""

from typing import Any, Final

INTRODUCTION: Final = """\
One POST, and every open device knows.

**Two planes.** Your backend *sends*, with an API key: `/v1/notifications`, `/v1/broadcasts`,
`/v1/subscribers`. Your front end *shows* one person's inbox, under `/v1/inbox`, with the environment's
slug, your own id of that person, and a proof: `hex(HMAC-SHA256(environment secret, subscriber id))`, or a
token. These three headers may also travel as the query parameters `environment`, `subscriber_id` and
`subscriber_hash`, and a token as `token`.

**Bodies** are strict JSON: an unknown field is refused, and null means absent. Times are RFC 3339. A
payload comes back byte for byte.

**Errors** all look alike: `{"error": {"code", "message"}}`. Decide by `code`; `message` names the field
and the rule.
"""

TAGS: Final = {
    "Notifications": "Send to one person, or to up to a hundred.",
    "Broadcasts": "Send to everyone, from one row.",
    "Subscribers": "People, by your own ids. They come into being on first sight; this is for imports.",
    "Inbox": "What one person sees and does.",
    "Admin": "For the console, and for scripts of administrators: log in, and keep the cookie.",
    "Operations": "For load balancers and monitoring.",
}

# Code: what it means, and a message it may come with.
ERRORS: Final = {
    "invalid_request": (
        "The request is malformed; the message names the field and the rule.",
        "category must be 1 to 255 bytes of UTF-8",
    ),
    "unauthorized": ("No valid key or proof.", "the API key is unknown or revoked"),
    "forbidden": (
        "Your role has not the capability, the current password is wrong, or `X-Bellwire-Admin` is missing.",
        "the role viewer has no user:manage",
    ),
    "not_found": ("No such thing, or not this caller's.", "no such notification"),
    "conflict": (
        "At odds with what is there: a name that is taken, an idempotency key used differently before.",
        "idempotency_key was used before, with a different request",
    ),
    "payload_too_large": ("The body is over its limit.", "the body must be at most 1048576 bytes"),
    "rate_limited": ("Too many requests: try again after `Retry-After` seconds.", "too many requests"),
    "too_many_connections": (
        "This person has too many streams open: try again after `Retry-After` seconds.",
        "too many streams of this subscriber",
    ),
    "internal": ("A defect on our side.", "something went wrong on our side; it has been logged"),
    "unavailable": (
        "The database is away: try again after `Retry-After` seconds.",
        "the database is not available; try again shortly",
    ),
}

PATH_PARAMETERS: Final = {
    "id": "The TypeID, as creating it or a list gave it.",
    "env": "The environment's TypeID, or its slug.",
    "key": "The key's TypeID.",
    "job": "The job's TypeID.",
    "subscriber_id": "Your own id of the person, percent-encoded: a slash is `%2F`.",
}

FORGERY_HEADER: Final[dict[str, Any]] = {
    "name": "X-Bellwire-Admin",
    "in": "header",
    "required": True,
    "description": "Any value: pages of others cannot send it.",
    "schema": {"type": "string", "minLength": 1, "examples": ["1"]},
}

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`bw_…`). It implies the environment.",
    },
    "environment": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Bellwire-Environment",
        "description": "The environment's slug.",
    },
    "subscriber": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Bellwire-Subscriber",
        "description": "Your own id of the person, percent-encoded.",
    },
    "subscriberHash": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Bellwire-Subscriber-Hash",
        "description": (
            "`hex(HMAC-SHA256(environment secret, subscriber id))`. May be left out where the environment "
            "does not require a proof."
        ),
    },
    "adminSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "bellwire_admin",
        "description": "Set by logging in; ends after 8 hours.",
    },
    "subscriberToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": (
            "HS256 with the environment's secret: `sub` is the subscriber id, `env` the slug, `exp` is "
            "required. Stands for all three headers."
        ),
    },
}

MANAGEMENT_SECURITY: Final[list[dict[str, list[str]]]] = [{"apiKey": []}]
ADMIN_SECURITY: Final[list[dict[str, list[str]]]] = [{"adminSession": []}]
SUBSCRIBER_SECURITY: Final[list[dict[str, list[str]]]] = [
    {"environment": [], "subscriber": [], "subscriberHash": []},
    {"subscriberToken": []},
]
