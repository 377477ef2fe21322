"""/v1/subscribers/{id}/preferences."""

from typing import Final

import msgspec
from litestar import get, put

from app.api import replies
from app.api.auth import require_api_key
from app.api.describe import Answer, Operation, describe
from app.api.management.parameters import subscriber_id
from app.api.replies import Reply
from app.api.request import Request
from app.contract.requests import PreferencesRequest
from app.contract.resources import Preferences

_PUT: Final = msgspec.json.Decoder(PreferencesRequest)
_PATH: Final = "/v1/subscribers/{subscriber_id:str}/preferences"


@get(
    _PATH,
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Get a subscriber's preferences",
            tag="Subscribers",
            answers={200: Answer("What was set.", Preferences)},
            errors=["not_found"],
        )
    ),
)
async def get_preferences_of(request: Request) -> Reply:
    """A category that is not listed is enabled."""
    return replies.json(
        await request.services.preferences.get(request.api_key.environment_id, subscriber_id(request))
    )


@put(
    _PATH,
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Change a subscriber's preferences",
            tag="Subscribers",
            body=PreferencesRequest,
            examples={
                "Mute one category": {
                    "preferences": [{"category": "marketing", "channel": "in_app", "enabled": False}]
                }
            },
            answers={200: Answer("All that is set now.", Preferences)},
        )
    ),
)
async def put_preferences_of(request: Request) -> Reply:
    """Only the categories that you name change. Creates the person where they are new."""
    wanted = await request.decode(_PUT)
    return replies.json(
        await request.services.preferences.put(
            request.api_key.environment_id, subscriber_id(request), wanted.preferences
        )
    )
