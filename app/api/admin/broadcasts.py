"""/admin/api/environments/{env}/broadcasts: looked at, composed, and taken back."""

from typing import Final

import msgspec
from litestar import delete, get, post

from app.api import parameters, replies
from app.api.admin.guard import admit, admits, require_session
from app.api.describe import Answer, Operation, Parameter
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract.admin_views import Audience
from app.contract.requests import BroadcastRequest
from app.contract.resources import Broadcast, Listing, SentBroadcast

_SEND: Final = msgspec.json.Decoder(BroadcastRequest)
_ENVIRONMENT: Final = "/admin/api/environments/{env:str}"
_PATH: Final = _ENVIRONMENT + "/broadcasts"


@get(
    _PATH,
    before_request=require_session,
    operation_id="list_broadcasts_of_environment",
    opt=admits(
        "read",
        Operation(
            summary="List an environment's broadcasts",
            tag="Admin",
            parameters=[parameters.STATUS, *PAGE.parameters],
            answers={200: Answer("One page.", Listing[Broadcast])},
            errors=["not_found"],
        ),
    ),
)
async def list_broadcasts(request: Request) -> Reply:
    """Newest first by `visible_at`; what waits is ordered by its `deliver_at`."""
    query = request.query
    status, limit, before = parameters.status(query), PAGE.of(query), parameters.place(query)
    admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    return replies.json(
        await request.services.records.broadcasts(environment.id, status=status, before=before, limit=limit)
    )


@get(
    _PATH + "/{id:str}",
    before_request=require_session,
    operation_id="get_broadcast_of_environment",
    opt=admits(
        "read",
        Operation(
            summary="Get one of an environment's broadcasts",
            tag="Admin",
            answers={200: Answer("As it is now.", Broadcast)},
            errors=["not_found"],
        ),
    ),
)
async def get_broadcast(request: Request) -> Reply:
    """Waiting, or delivered."""
    admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    return replies.json(
        await request.services.records.broadcast(environment.id, request.item_id("broadcast"))
    )


@post(
    _PATH,
    before_request=require_session,
    operation_id="compose_broadcast",
    opt=admits(
        "broadcast:compose",
        Operation(
            summary="Compose a broadcast",
            tag="Admin",
            body=BroadcastRequest,
            examples={
                "To everyone": {"category": "product.news", "payload": {"title": "Dark mode is here"}},
            },
            answers={
                201: Answer("Sent; or, with `deliver_at`, to be sent then.", SentBroadcast),
                200: Answer(
                    "The key was used before with this very request: its first answer again.", SentBroadcast
                ),
            },
            errors=["not_found", "conflict"],
        ),
    ),
)
async def send_broadcast(request: Request) -> Reply:
    """As a backend does. Give an `idempotency_key`, and a form that is sent twice sends one."""
    wanted = await request.decode(_SEND)
    admin = admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    reply = await request.services.composer.send(admin, environment, wanted)
    return replies.json(reply.sent, status=201 if reply.created else 200)


@delete(
    _PATH + "/{id:str}",
    status_code=200,
    before_request=require_session,
    operation_id="delete_broadcast_of_environment",
    opt=admits(
        "broadcast:compose",
        Operation(
            summary="Take one of an environment's broadcasts back",
            tag="Admin",
            answers={204: Answer("Gone: cancelled, or retracted from every inbox.")},
            errors=["not_found"],
        ),
    ),
)
async def delete_broadcast(request: Request) -> Reply:
    """Gone for everyone at once, and everyone's counts follow."""
    await request.read()
    admin = admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    await request.services.composer.delete(admin, environment, request.item_id("broadcast"))
    return replies.no_content()


@get(
    _ENVIRONMENT + "/audience",
    before_request=require_session,
    opt=admits(
        "read",
        Operation(
            summary="Count whom a broadcast would reach",
            tag="Admin",
            parameters=[
                Parameter(
                    "category",
                    "Its category: those who have muted it are counted.",
                    {"type": "string", "minLength": 1, "maxLength": 255},
                )
            ],
            answers={200: Answer("How many there are now.", Audience)},
            errors=["not_found"],
        ),
    ),
)
async def get_audience(request: Request) -> Reply:
    """Counted up to 100 000: `is_exact` tells whether there are more."""
    category = parameters.short_text(request.query, "category")
    admit(request)
    environment = await request.services.environments.find(request.path_value("env"))
    return replies.json(await request.services.composer.audience(environment, category))
