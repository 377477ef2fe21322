"""/v1/inbox/counts."""

from litestar import get

from app.api import replies
from app.api.auth import require_subscriber
from app.api.describe import Answer, Operation, Parameter, describe
from app.api.replies import Reply
from app.api.request import Request
from app.contract.errors import InvalidRequest
from app.contract.resources import Counts, CountsByCategory


@get(
    "/v1/inbox/counts",
    before_request=require_subscriber,
    opt=describe(
        Operation(
            summary="Count what is unread and unseen",
            tag="Inbox",
            parameters=[
                Parameter(
                    "by",
                    "`category` adds the numbers of each unmuted category that has any.",
                    {"type": "string", "enum": ["category"]},
                )
            ],
            answers={200: Answer("The counts, of one instant.", (Counts, CountsByCategory))},
        )
    ),
)
async def get_counts(request: Request) -> Reply:
    """The numbers for the bell. A websocket brings them by itself whenever they change."""
    inbox = request.services.inbox
    match request.query.one("by"):
        case None:
            return replies.json(await inbox.counts(request.identity))
        case "category":
            return replies.json(await inbox.counts_by_category(request.identity))
        case _:
            raise InvalidRequest("by must be category")
