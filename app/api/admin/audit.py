"""/admin/api/audit."""

from litestar import get

from app.api import parameters, replies
from app.api.admin.guard import admit, admits, require_session
from app.api.describe import Answer, Operation
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract.admin import AuditEntry
from app.contract.resources import Listing


@get(
    "/admin/api/audit",
    before_request=require_session,
    opt=admits(
        "user:manage",
        Operation(
            summary="List what was done",
            tag="Admin",
            parameters=PAGE.parameters,
            answers={200: Answer("One page.", Listing[AuditEntry])},
        ),
    ),
)
async def list_entries(request: Request) -> Reply:
    """Newest first: every write by an administrator, with who and when. Nothing is ever removed."""
    limit, before = PAGE.of(request.query), parameters.place(request.query)
    admit(request)
    return replies.json(await request.services.audit.page(before=before, limit=limit))
