"""/v1/subscribers/{id}."""

from typing import Final

import msgspec
from litestar import put

from app.api import replies
from app.api.guards import require_api_key
from app.api.replies import Reply
from app.api.request import Request
from app.contract import strings
from app.contract.requests import SubscriberRequest

_PUT: Final = msgspec.json.Decoder(SubscriberRequest)


@put("/v1/subscribers/{subscriber_id:str}", guards=[require_api_key])
async def put_subscriber(request: Request) -> Reply:
    wanted = await request.decode_optional(_PUT)
    subscriber_id = request.path_value("subscriber_id")
    strings.check_length(subscriber_id, "subscriber_id")
    created_at = None if wanted is None else wanted.created_at
    return replies.json(
        await request.services.subscribers.put(request.api_key.environment_id, subscriber_id, created_at)
    )
