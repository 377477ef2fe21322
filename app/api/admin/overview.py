"""/admin/api/overview."""

from litestar import get

from app.api import replies
from app.api.admin.guard import admit, admits, require_session
from app.api.describe import Answer, Operation
from app.api.replies import Reply
from app.api.request import Request
from app.contract.admin_views import Overview


@get(
    "/admin/api/overview",
    before_request=require_session,
    opt=admits(
        "read",
        Operation(
            summary="Get the live figures",
            tag="Admin",
            answers={200: Answer("As of now.", Overview)},
        ),
    ),
)
async def get_overview(request: Request) -> Reply:
    """Of all processes together. Null is what nobody can tell while Redis is away."""
    admit(request)
    return replies.json(await request.services.overviews.now())
