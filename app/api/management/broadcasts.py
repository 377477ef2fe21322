"""/v1/broadcasts."""

from typing import Final

import msgspec
from litestar import post

from app.api import replies
from app.api.guards import require_api_key
from app.api.replies import Reply
from app.api.request import Request
from app.contract.requests import BroadcastRequest

_SEND: Final = msgspec.json.Decoder(BroadcastRequest)


@post("/v1/broadcasts", guards=[require_api_key])
async def send(request: Request) -> Reply:
    wanted = await request.decode(_SEND)
    reply = await request.services.broadcasts.send(request.api_key.environment_id, wanted)
    return replies.json(reply.sent, status=201 if reply.created else 200)
