"""/admin/api/environments/{env}/subscribers: who there is, and what one of them sees."""

from typing import Final

from litestar import get

from app.api import parameters, replies
from app.api.admin.guard import admit, admits, require_session
from app.api.describe import Answer, Operation
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract import strings
from app.contract.admin_views import SubscriberState
from app.contract.resources import Listing, Subscriber

_PATH: Final = "/admin/api/environments/{env:str}/subscribers"


@get(
    _PATH,
    before_request=require_session,
    operation_id="list_subscribers_of_environment",
    opt=admits(
        "read",
        Operation(
            summary="List an environment's subscribers",
            tag="Admin",
            parameters=PAGE.parameters,
            answers={200: Answer("One page.", Listing[Subscriber])},
            errors=["not_found"],
        ),
    ),
)
async def list_subscribers(request: Request) -> Reply:
    """Newest first by `created_at`."""
    limit, before = PAGE.of(request.query), parameters.timed_place(request.query)
    admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    return replies.json(await request.services.subscribers.page(environment.id, before=before, limit=limit))


@get(
    _PATH + "/{subscriber_id:str}",
    before_request=require_session,
    operation_id="look_up_subscriber",
    opt=admits(
        "read",
        Operation(
            summary="Look a subscriber up",
            tag="Admin",
            answers={200: Answer("The person's inbox, all of one instant.", SubscriberState)},
            errors=["not_found"],
        ),
    ),
)
async def look_up_subscriber(request: Request) -> Reply:
    """Exactly what this person sees, and the watermarks and preferences that make it so. Creates nobody."""
    subscriber_id = request.path_value("subscriber_id")
    strings.check_length(subscriber_id, "subscriber_id")
    admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    return replies.json(await request.services.subscriber_states.get(environment.id, subscriber_id))
