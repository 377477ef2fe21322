"""/v1/notifications."""

from datetime import date, timedelta
from typing import Final

import msgspec
from litestar import post

from app import telemetry
from app.api import replies
from app.api.auth import require_api_key
from app.api.describe import Answer, Operation, describe
from app.api.replies import Reply
from app.api.request import Request
from app.contract.requests import NotificationRequest
from app.contract.resources import Sent

_SEND: Final = msgspec.json.Decoder(NotificationRequest)


def _tomorrow(today: date) -> object:
    day = today + timedelta(days=1)
    return {
        "subscriber_ids": ["user_42", "user_43"],
        "category": "reminder",
        "payload": {"title": "The review starts in an hour"},
        "deliver_at": f"{day}T09:00:00Z",
        "expires_at": f"{day}T12:00:00Z",
    }


@post(
    "/v1/notifications",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Send a notification",
            tag="Notifications",
            body=NotificationRequest,
            examples={
                "To one person": {
                    "subscriber_id": "user_42",
                    "category": "billing.invoice",
                    "payload": {"title": "Invoice 1042 is paid", "action_url": "/invoices/1042"},
                    "idempotency_key": "invoice-1042-paid",
                },
                "To several, tomorrow": _tomorrow,
            },
            answers={
                201: Answer("Sent; or, with `deliver_at`, to be sent then.", Sent),
                200: Answer("The key was used before with this very request: its first answer again.", Sent),
            },
            errors=["conflict"],
        )
    ),
)
async def send_notifications(request: Request) -> Reply:
    """One notification for each recipient, all of them or none. People unknown so far are created.

    Give an `idempotency_key` and try again as often as you need: it is sent once.
    """
    wanted = await request.decode(_SEND)
    reply = await request.services.notifications.send(request.api_key.environment_id, wanted)
    if reply.created:
        telemetry.count_created(request.api_key.environment, len(reply.sent.notifications))
    return replies.json(reply.sent, status=201 if reply.created else 200)
