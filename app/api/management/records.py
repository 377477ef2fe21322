"""GET /v1/notifications and /v1/broadcasts: what was sent, and what became of it."""

from litestar import get

from app.api import parameters, replies
from app.api.auth import require_api_key
from app.api.describe import Answer, Operation, describe
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract.resources import Broadcast, Listing, Notification, Timeline


@get(
    "/v1/notifications",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="List notifications",
            tag="Notifications",
            parameters=[*parameters.NOTIFICATION_FILTERS, *PAGE.parameters],
            answers={200: Answer("One page.", Listing[Notification])},
        )
    ),
)
async def list_notifications(request: Request) -> Reply:
    """Newest first by `visible_at`; what waits is ordered by its `deliver_at`.

    What was retracted, erased or has expired is gone from here too.
    """
    query = request.query
    found = await request.services.records.notifications(
        request.api_key.environment_id,
        parameters.notification_filter(query),
        before=parameters.place(query),
        limit=PAGE.of(query),
    )
    return replies.json(found)


@get(
    "/v1/notifications/{id:str}",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Get a notification",
            tag="Notifications",
            answers={200: Answer("As it is now.", Notification)},
            errors=["not_found"],
        )
    ),
)
async def get_notification(request: Request) -> Reply:
    """With its state in the person's inbox."""
    return replies.json(
        await request.services.records.notification(
            request.api_key.environment_id, request.item_id("notification")
        )
    )


@get(
    "/v1/notifications/{id:str}/timeline",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Get a notification's timeline",
            tag="Notifications",
            answers={200: Answer("What happened, oldest first.", Timeline)},
            errors=["not_found"],
        )
    ),
)
async def get_timeline(request: Request) -> Reply:
    """When it was created, told to the person's devices, seen and read: the first time of each."""
    return replies.json(
        await request.services.records.timeline(
            request.api_key.environment_id, request.item_id("notification")
        )
    )


@get(
    "/v1/broadcasts",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="List broadcasts",
            tag="Broadcasts",
            parameters=[parameters.STATUS, *PAGE.parameters],
            answers={200: Answer("One page.", Listing[Broadcast])},
        )
    ),
)
async def list_broadcasts(request: Request) -> Reply:
    """Newest first by `visible_at`; what waits is ordered by its `deliver_at`."""
    query = request.query
    found = await request.services.records.broadcasts(
        request.api_key.environment_id,
        status=parameters.status(query),
        before=parameters.place(query),
        limit=PAGE.of(query),
    )
    return replies.json(found)


@get(
    "/v1/broadcasts/{id:str}",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Get a broadcast",
            tag="Broadcasts",
            answers={200: Answer("As it is now.", Broadcast)},
            errors=["not_found"],
        )
    ),
)
async def get_broadcast(request: Request) -> Reply:
    """Waiting, or delivered."""
    return replies.json(
        await request.services.records.broadcast(request.api_key.environment_id, request.item_id("broadcast"))
    )
