"""/v1/notifications/{id}/read and its like: read in the e-mail, so read in the inbox."""

from collections.abc import Sequence
from typing import Final

from litestar import post
from litestar.handlers import HTTPRouteHandler

from app.api import replies
from app.api.auth import require_api_key
from app.api.describe import Answer, Operation, describe
from app.api.item_marks import MARKS
from app.api.replies import Reply
from app.api.request import Request


def _mark(action: str) -> HTTPRouteHandler:
    field, value, summary = MARKS[action]

    @post(
        f"/v1/notifications/{{id:str}}/{action}",
        before_request=require_api_key,
        operation_id=f"{action}_notification_for_its_holder",
        opt=describe(
            Operation(
                summary=summary.format("notification") + " for its holder",
                tag="Notifications",
                answers={204: Answer("So it is now, and perhaps was before.")},
                errors=["not_found"],
            )
        ),
    )
    async def mark(request: Request) -> Reply:
        """As if the person had: for what was read elsewhere, in an e-mail for example.

        What still waits for its `deliver_at` is in no inbox yet: 404.
        """
        await request.read()
        await request.services.inbox.mark_held(
            request.api_key.environment_id, request.item_id("notification"), field=field, value=value
        )
        return replies.no_content()

    return mark


MARK_NOTIFICATION: Final[Sequence[HTTPRouteHandler]] = tuple(map(_mark, MARKS))
