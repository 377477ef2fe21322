"""The AsyncAPI 3 document of the websocket: the frames of both directions, and the codes it closes with.

Server frames are written as bytes in realtime/protocol.py; the Structs here say what is in them.
"""

from importlib.metadata import version
from typing import Any, Final

import msgspec

from app.contract.hints import Reason
from realtime.close_codes import CloseCode
from realtime.protocol import (
    MAX_FRAME_BYTES,
    MAX_RECONNECT_AFTER_MS,
    PING_INTERVAL_S,
    SUBPROTOCOL,
    Connect,
    GoodbyeReason,
    Ping,
    Refresh,
)

Json = dict[str, Any]


class Ready(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ready"):
    """Once, after authentication: everything starts afresh from these numbers."""

    connection_id: str
    unread: int
    unseen: int
    version: int
    ping_interval_s: int


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hint"):
    """Something became visible or changed. id: the item it concerns, where it is about one."""

    reason: Reason
    id: str | msgspec.UnsetType = msgspec.UNSET


class CountsFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="counts"):
    """The numbers changed. A version below one that was seen since `ready` came late: drop it."""

    unread: int
    unseen: int
    version: int


class Goodbye(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="goodbye"):
    """The server is about to close. Whether to come back, the close code decides, not this frame; the delay
    counts from the close, and means nothing where the code says stop.
    """

    reason: GoodbyeReason
    reconnect_after_ms: int


class ServerPing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ping"):
    """Every ping_interval_s, so that silence means a dead link. Needs no answer."""


class Pong(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pong"):
    """Answers a client's ping."""


class Refreshed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="refreshed"):
    """Answers a refresh. expires_at: when the new token ends, and the connection with it."""

    expires_at: str


ServerFrame = Ready | Hint | CountsFrame | Goodbye | ServerPing | Pong | Refreshed

_SENT: Final[dict[str, type[msgspec.Struct]]] = {
    "ready": Ready,
    "hint": Hint,
    "counts": CountsFrame,
    "goodbye": Goodbye,
    "serverPing": ServerPing,
    "pong": Pong,
    "refreshed": Refreshed,
}
_RECEIVED: Final[dict[str, type[msgspec.Struct]]] = {"connect": Connect, "ping": Ping, "refresh": Refresh}

_INTRODUCTION: Final = f"""\
Hints say that something changed, counts carry the new numbers, and the REST feed is the truth. A missed frame
does no harm: each connection begins with the current counts, and a gap ends in a `resync` hint.

Credentials travel in the query or in identity headers, and then decide at once; with none of them the first
frame is `connect`, within 10 s. Frames are JSON text; those of a client hold at most {MAX_FRAME_BYTES} bytes.
Ignore frames of types you do not know.

The close code decides, whatever the `goodbye` before it says. 4000-4499: come back, after its
`reconnect_after_ms` (at most {MAX_RECONNECT_AFTER_MS}) or with backoff. With 4500-4999: stop.
Codes of Bellwire's own:
{", ".join(f"{code.value} {code.name.lower().replace('_', ' ')}" for code in CloseCode if code >= 4000)}.
"""
_CREDENTIALS: Final = {
    "environment": "The environment's slug.",
    "subscriber_id": "Your own id of the person, 1 to 255 bytes.",
    "subscriber_hash": "HMAC-SHA256 of the id's bytes with the environment's secret, in hex.",
    "token": "A token of POST /v1/subscribers/{id}/tokens, which carries the other three.",
}


def document() -> str:
    """The document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(_build()), indent=2).decode()


def _build() -> Json:
    frames = {**_SENT, **_RECEIVED}
    _, schemas = msgspec.json.schema_components(
        tuple(frames.values()), ref_template="#/components/schemas/{name}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bellwire, real time",
            "version": version("bellwire"),
            "description": _INTRODUCTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "gateway": {
                "host": "{host}",
                "protocol": "wss",
                "description": "BELLWIRE_GATEWAY_LISTEN, or the proxy in front of it.",
                "variables": {"host": {"default": "127.0.0.1:8081"}},
            }
        },
        "channels": {
            "inbox": {
                "address": "/v1/inbox/ws",
                "description": f"One subscriber's socket. Pings come every {PING_INTERVAL_S} s.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in frames},
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "query": {
                            "type": "object",
                            "properties": {
                                name: {"type": "string", "description": text}
                                for name, text in _CREDENTIALS.items()
                            },
                        },
                        "headers": {
                            "type": "object",
                            "properties": {
                                "Sec-WebSocket-Protocol": {"type": "string", "enum": [SUBPROTOCOL]}
                            },
                        },
                        "bindingVersion": "0.1.0",
                    }
                },
            }
        },
        "operations": {
            "hear": _operation("send", "What the gateway sends.", _SENT),
            "say": _operation("receive", "What a client sends.", _RECEIVED),
        },
        "components": {
            "messages": {name: _message(name, frame) for name, frame in frames.items()},
            "schemas": schemas,
        },
    }


def _operation(action: str, summary: str, frames: dict[str, type[msgspec.Struct]]) -> Json:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/inbox"},
        "messages": [{"$ref": f"#/channels/inbox/messages/{name}"} for name in frames],
    }


def _message(name: str, frame: type[msgspec.Struct]) -> Json:
    return {
        "name": name,
        "summary": " ".join((frame.__doc__ or "").split()),
        "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
    }
