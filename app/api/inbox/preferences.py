"""/v1/inbox/preferences, and the categories one may set them for."""

from typing import Final

import msgspec
from litestar import get, put

from app.api import replies
from app.api.auth import require_subscriber
from app.api.describe import Answer, Operation, describe
from app.api.replies import Reply
from app.api.request import Request
from app.contract.requests import PreferencesRequest
from app.contract.resources import Categories, Preferences

_PUT: Final = msgspec.json.Decoder(PreferencesRequest)


@get(
    "/v1/inbox/preferences",
    before_request=require_subscriber,
    opt=describe(
        Operation(
            summary="Get one's preferences",
            tag="Inbox",
            answers={200: Answer("What was set.", Preferences)},
        )
    ),
)
async def get_preferences(request: Request) -> Reply:
    """A category that is not listed is enabled."""
    return replies.json(await request.services.preferences.own(request.identity))


@put(
    "/v1/inbox/preferences",
    before_request=require_subscriber,
    opt=describe(
        Operation(
            summary="Change one's preferences",
            tag="Inbox",
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
async def put_preferences(request: Request) -> Reply:
    """Only the categories that you name change. What is muted leaves every view and every count at once.

    Nothing is lost: unmuted, everything is back as it would have been.
    """
    wanted = await request.decode(_PUT)
    identity = request.identity
    return replies.json(
        await request.services.preferences.put(
            identity.environment_id, identity.subscriber_id, wanted.preferences
        )
    )


@get(
    "/v1/inbox/categories",
    before_request=require_subscriber,
    opt=describe(
        Operation(
            summary="List the categories",
            tag="Inbox",
            answers={200: Answer("Sorted; at most 1 000.", Categories)},
        )
    ),
)
async def list_categories(request: Request) -> Reply:
    """All that this environment has ever used: what a page of preferences shows."""
    identity = request.identity
    await request.services.subscribers.ensure(identity.environment_id, identity.subscriber_id)
    return replies.json(await request.services.preferences.categories(identity.environment_id))
