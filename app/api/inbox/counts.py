"""/v1/inbox/counts."""

from litestar import get

from app.api import replies
from app.api.guards import require_subscriber
from app.api.replies import Reply
from app.api.request import Request


@get("/v1/inbox/counts", guards=[require_subscriber])
async def get_counts(request: Request) -> Reply:
    return replies.json(await request.services.inbox.counts(request.identity))
