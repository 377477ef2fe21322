"""/v1/inbox/counts."""

from litestar import get

from app.api import replies
from app.api.auth import require_subscriber
from app.api.describe import Answer, Operation, describe
from app.api.replies import Reply
from app.api.request import Request
from app.contract.resources import Counts


@get(
    "/v1/inbox/counts",
    before_request=require_subscriber,
    opt=describe(
        Operation(
            summary="Count what is unread and unseen",
            tag="Inbox",
            answers={200: Answer("The counts, of one instant.", Counts)},
        )
    ),
)
async def get_counts(request: Request) -> Reply:
    """The numbers for the bell. A websocket brings them by itself whenever they change."""
    return replies.json(await request.services.inbox.counts(request.identity))
