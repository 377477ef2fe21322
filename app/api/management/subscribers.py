"""/v1/subscribers/{id}."""

from typing import Final

import msgspec
from litestar import put

from app.api import replies
from app.api.auth import require_api_key
from app.api.describe import Answer, Operation, describe
from app.api.replies import Reply
from app.api.request import Request
from app.contract import strings
from app.contract.requests import SubscriberRequest
from app.contract.resources import Subscriber

_PUT: Final = msgspec.json.Decoder(SubscriberRequest)


@put(
    "/v1/subscribers/{subscriber_id:str}",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Create a subscriber",
            tag="Subscribers",
            body=SubscriberRequest,
            body_required=False,
            examples={"Joined last spring": {"created_at": "2026-04-01T00:00:00Z"}},
            answers={200: Answer("The subscriber, new or as it was.", Subscriber)},
        )
    ),
)
async def put_subscriber(request: Request) -> Reply:
    """Creates the person where they are new, and changes nothing where they are not.

    Nobody has to be created ahead: whoever is sent something, or opens an inbox, comes into being. An
    import can date people back, so that they see the broadcasts since they joined.
    """
    wanted = await request.decode_optional(_PUT)
    subscriber_id = request.path_value("subscriber_id")
    strings.check_length(subscriber_id, "subscriber_id")
    created_at = None if wanted is None else wanted.created_at
    return replies.json(
        await request.services.subscribers.put(request.api_key.environment_id, subscriber_id, created_at)
    )
