"""/v1/subscribers/import."""

from typing import Final

from litestar import post

from app.api import replies
from app.api.auth import require_api_key
from app.api.describe import NDJSON, Answer, Operation, describe
from app.api.replies import Reply
from app.api.request import Request
from app.contract.requests import ImportLine
from app.contract.resources import Imported

MAX_IMPORT: Final = 32 << 20


@post(
    "/v1/subscribers/import",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Import subscribers",
            tag="Subscribers",
            body=ImportLine,
            body_required=False,
            media_type=NDJSON,
            examples={
                "Two people": (
                    '{"subscriber_id": "user_42", "created_at": "2026-04-01T00:00:00Z"}\n'
                    '{"subscriber_id": "user_43"}\n'
                )
            },
            answers={200: Answer("How it went, line by line.", Imported)},
        )
    ),
)
async def import_subscribers(request: Request) -> Reply:
    """Up to 100 000 people, one JSON object a line: as many `PUT`s at once, read as they arrive.

    A bad line does not spoil the others: it is listed with its number (at most 1 000 are). Every 1 000
    lines are committed on their own, and sending a file again is harmless.
    """
    async with request.stream_body(media_type=NDJSON, most=MAX_IMPORT) as chunks:
        imported = await request.services.imports.run(
            request.api_key.environment_id, chunks, confirm=request.confirm
        )
        return replies.json(imported)
