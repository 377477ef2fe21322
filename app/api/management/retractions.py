"""DELETE /v1/notifications and /v1/broadcasts: taken back, whether it waits or was delivered."""

from typing import Final

from litestar import delete

from app.api import parameters, replies
from app.api.auth import require_api_key
from app.api.describe import Answer, Operation, Parameter, describe
from app.api.replies import Reply
from app.api.request import Request
from app.contract.errors import InvalidRequest
from app.contract.resources import Deleted

_GONE: Final = Answer("Gone: cancelled, or retracted from every inbox.")


@delete(
    "/v1/notifications/{id:str}",
    status_code=200,
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Take a notification back",
            tag="Notifications",
            answers={204: _GONE},
            errors=["not_found"],
        )
    ),
)
async def delete_notification(request: Request) -> Reply:
    """Cancelled where it waits, and never seen; retracted where it was delivered, and the counts follow."""
    await request.services.retractions.notification(
        request.api_key.environment_id, request.item_id("notification")
    )
    return replies.no_content()


@delete(
    "/v1/notifications",
    status_code=200,
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Take a batch back",
            tag="Notifications",
            parameters=[
                Parameter(
                    "idempotency_key",
                    "The key that the batch was sent with.",
                    {"type": "string", "minLength": 1, "maxLength": 255},
                    required=True,
                )
            ],
            answers={200: Answer("How many there still were.", Deleted)},
            errors=["not_found"],
        )
    ),
)
async def delete_batch(request: Request) -> Reply:
    """All that was sent with one idempotency key. The key stays known: sent again, it sends nothing."""
    key = parameters.short_text(request.query, "idempotency_key")
    if key is None:
        raise InvalidRequest("idempotency_key is required")
    return replies.json(
        Deleted(await request.services.retractions.batch(request.api_key.environment_id, key))
    )


@delete(
    "/v1/broadcasts/{id:str}",
    status_code=200,
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Take a broadcast back",
            tag="Broadcasts",
            answers={204: _GONE},
            errors=["not_found"],
        )
    ),
)
async def delete_broadcast(request: Request) -> Reply:
    """Gone for everyone at once, and everyone's counts follow."""
    await request.services.retractions.broadcast(request.api_key.environment_id, request.item_id("broadcast"))
    return replies.no_content()
