"""The limit of the HTTP benches: the product's own server, routing and proofs, answering constants.

`python -m bench.load.constant`, with the environment variables of `bellwire api`.
"""

from typing import Final
from uuid import UUID

import msgspec
import structlog
from litestar import get, post

from app.api import main, replies
from app.api.auth import require_api_key, require_subscriber
from app.api.replies import Reply
from app.api.request import Request
from app.cli import console
from app.contract import ids, resources
from app.settings import Address
from bench import growth_world

_NOTIFICATION: Final = ids.encode("notif", UUID("01890a5d-ac96-774b-bcce-b302099a8057"))
_SENT: Final = msgspec.json.encode(
    resources.Sent("idempotency-key-12345", [resources.SentNotification(_NOTIFICATION, "crowd-12345")])
)
_PAGE: Final = msgspec.json.encode(
    resources.Page(
        [
            resources.Item(
                id=_NOTIFICATION,
                source="notification",
                category="noise",
                payload=msgspec.Raw(growth_world.PAYLOAD.encode()),
                occurred_at="2026-01-01T00:00:00.000000Z",
                read=False,
                archived=False,
            )
        ]
        * 20,
        "bjE3OTU2MzQxMzQzOTM4Nzk",
    )
)
_COUNTS: Final = msgspec.json.encode(resources.Counts(100_000, 100_000, 3_591_268_000_000_000))
_ETAG: Final = (b"etag", b'"0123456789abcdef0123456789abcdef"')
_CACHE: Final = (b"cache-control", b"private, max-age=0")


@post("/v1/notifications", before_request=require_api_key)
async def send_notifications(request: Request) -> Reply:
    await request.read()
    return replies.content(_SENT, b"application/json", status=201)


@get("/v1/inbox/items", before_request=require_subscriber)
async def list_items(request: Request) -> Reply:
    if request.header("if-none-match"):
        return Reply(304, headers=[_ETAG, _CACHE])
    return replies.content(_PAGE, b"application/json", _ETAG, _CACHE)


@get("/v1/inbox/counts", before_request=require_subscriber)
async def get_counts(request: Request) -> Reply:  # noqa: ARG001 - as the product's
    return replies.content(_COUNTS, b"application/json")


@post("/v1/inbox/notifications/{id:str}/read", before_request=require_subscriber)
async def mark_read(request: Request) -> Reply:
    await request.read()
    return replies.no_content()


@post("/v1/inbox/read-all", before_request=require_subscriber)
async def mark_all(request: Request) -> Reply:
    await request.read()
    return replies.content(_COUNTS, b"application/json")


def announce(address: Address) -> None:
    structlog.stdlib.get_logger().info("up", role="constant", address=str(address))


if __name__ == "__main__":
    handlers = (send_notifications, list_items, get_counts, mark_read, mark_all)
    console.run(main.run(console.settings(), ready=announce, handlers=handlers))
