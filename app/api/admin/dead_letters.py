"""/admin/api/dlq: jobs that failed too often."""

from typing import Final

from litestar import get, post

from app.api import parameters, replies
from app.api.admin.guard import admit, admits, require_session
from app.api.describe import Answer, Operation, Parameter
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract.admin_views import DeadLetter, Replayed
from app.contract.resources import Listing

_PATH: Final = "/admin/api/dlq"
_ENVIRONMENT: Final = Parameter(
    "environment",
    "Only those of this one: its slug, or its id.",
    {"type": "string", "minLength": 1, "maxLength": 255},
)


@get(
    _PATH,
    before_request=require_session,
    opt=admits(
        "read",
        Operation(
            summary="List dead letters",
            tag="Admin",
            parameters=[_ENVIRONMENT, *PAGE.parameters],
            answers={200: Answer("One page.", Listing[DeadLetter])},
            errors=["not_found"],
        ),
    ),
)
async def list_dead_letters(request: Request) -> Reply:
    """Oldest first: jobs that were parked after their tenth attempt."""
    query = request.query
    env = parameters.short_text(query, "environment")
    limit, after = PAGE.of(query), parameters.timed_place(query)
    admit(request)
    return replies.json(await request.services.dead_letters.page(env, after=after, limit=limit))


@post(
    _PATH + "/{job:str}/replay",
    status_code=200,
    before_request=require_session,
    opt=admits(
        "dlq:replay",
        Operation(
            summary="Replay a dead letter",
            tag="Admin",
            answers={200: Answer("It is a job again, with fresh attempts.", Replayed)},
            errors=["not_found"],
        ),
    ),
)
async def replay_dead_letter(request: Request) -> Reply:
    """It keeps its id, its payload and how far it got, and takes effect once."""
    await request.read()
    admin = admit(request)
    return replies.json(await request.services.dead_letters.replay(admin, request.path_value("job")))


@post(
    _PATH + "/replay-all",
    status_code=200,
    before_request=require_session,
    opt=admits(
        "dlq:replay",
        Operation(
            summary="Replay all dead letters",
            tag="Admin",
            parameters=[_ENVIRONMENT],
            answers={200: Answer("How many there were.", Replayed)},
            errors=["not_found"],
        ),
    ),
)
async def replay_dead_letters(request: Request) -> Reply:
    """As one by one."""
    env = parameters.short_text(request.query, "environment")
    await request.read()
    admin = admit(request)
    return replies.json(await request.services.dead_letters.replay_all(admin, env))
