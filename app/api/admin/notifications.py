"""/admin/api/environments/{env}/notifications: what was sent, and what became of it."""

from typing import Final

from litestar import get

from app.api import parameters, replies
from app.api.admin.guard import admit, admits, require_session
from app.api.describe import Answer, Operation
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract.resources import Listing, Notification, Timeline

_PATH: Final = "/admin/api/environments/{env:str}/notifications"


@get(
    _PATH,
    before_request=require_session,
    operation_id="list_notifications_of_environment",
    opt=admits(
        "read",
        Operation(
            summary="List an environment's notifications",
            tag="Admin",
            parameters=[*parameters.NOTIFICATION_FILTERS, *PAGE.parameters],
            answers={200: Answer("One page.", Listing[Notification])},
            errors=["not_found"],
        ),
    ),
)
async def list_notifications(request: Request) -> Reply:
    """Newest first by `visible_at`; what waits is ordered by its `deliver_at`."""
    query = request.query
    wanted = parameters.notification_filter(query)
    limit, before = PAGE.of(query), parameters.place(query)
    admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    return replies.json(
        await request.services.records.notifications(environment.id, wanted, before=before, limit=limit)
    )


@get(
    _PATH + "/{id:str}",
    before_request=require_session,
    operation_id="get_notification_of_environment",
    opt=admits(
        "read",
        Operation(
            summary="Get one of an environment's notifications",
            tag="Admin",
            answers={200: Answer("As it is now.", Notification)},
            errors=["not_found"],
        ),
    ),
)
async def get_notification(request: Request) -> Reply:
    """With its state in the person's inbox."""
    admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    return replies.json(
        await request.services.records.notification(environment.id, request.item_id("notification"))
    )


@get(
    _PATH + "/{id:str}/timeline",
    before_request=require_session,
    operation_id="get_timeline_of_environment",
    opt=admits(
        "read",
        Operation(
            summary="Get the timeline of one of an environment's notifications",
            tag="Admin",
            answers={200: Answer("What happened, oldest first.", Timeline)},
            errors=["not_found"],
        ),
    ),
)
async def get_timeline(request: Request) -> Reply:
    """When it was created, told to the person's devices, seen and read: the first time of each."""
    admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    return replies.json(
        await request.services.records.timeline(environment.id, request.item_id("notification"))
    )
