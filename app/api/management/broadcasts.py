"""/v1/broadcasts."""

from typing import Final

import msgspec
from litestar import post

from app.api import replies
from app.api.auth import require_api_key
from app.api.describe import Answer, Operation, describe
from app.api.replies import Reply
from app.api.request import Request
from app.contract.requests import BroadcastRequest
from app.contract.resources import SentBroadcast

_SEND: Final = msgspec.json.Decoder(BroadcastRequest)


@post(
    "/v1/broadcasts",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Send a broadcast",
            tag="Broadcasts",
            body=BroadcastRequest,
            examples={
                "To everyone": {
                    "category": "product.news",
                    "payload": {"title": "Dark mode is here", "action_url": "/changelog"},
                    "idempotency_key": "dark-mode",
                },
            },
            answers={
                201: Answer("Sent; or, with `deliver_at`, to be sent then.", SentBroadcast),
                200: Answer(
                    "The key was used before with this very request: its first answer again.", SentBroadcast
                ),
            },
            errors=["conflict"],
        )
    ),
)
async def send_broadcast(request: Request) -> Reply:
    """One row, whatever the number of subscribers: everyone who exists by then sees it in their inbox."""
    wanted = await request.decode(_SEND)
    reply = await request.services.broadcasts.send(request.api_key.environment_id, wanted)
    return replies.json(reply.sent, status=201 if reply.created else 200)
