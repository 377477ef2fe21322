"""/v1/inbox/archive-read."""

from litestar import post

from app.api import replies
from app.api.auth import require_subscriber
from app.api.describe import Answer, Operation, describe
from app.api.replies import Reply
from app.api.request import Request


@post(
    "/v1/inbox/archive-read",
    before_request=require_subscriber,
    opt=describe(
        Operation(
            summary="Archive what is read",
            tag="Inbox",
            answers={202: Answer("It is being done; asking again meanwhile adds nothing.")},
        )
    ),
)
async def archive_read(request: Request) -> Reply:
    """What there is now, and is read when its turn comes. Every device of the person is told."""
    await request.read()
    await request.services.inbox.archive_read(request.identity)
    return replies.accepted()
