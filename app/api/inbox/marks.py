"""/v1/inbox/…/{id}/read and its like, and the three that mark everything."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler

from app.api import replies
from app.api.auth import require_subscriber
from app.api.describe import Answer, Operation, describe
from app.api.item_marks import MARKS
from app.api.replies import Reply
from app.api.request import Request
from app.contract import ids
from app.contract.errors import InvalidRequest
from app.contract.ids import Source
from app.contract.requests import MarkAllRequest, UpTo
from app.contract.resources import Counts
from app.db.inbox import Watermark
from app.services.inbox import UpToItem, UpToItems

_WATERMARKS: Final[dict[str, tuple[Watermark, str]]] = {
    "read-all": ("read", "Mark everything read"),
    "seen-all": ("seen", "Mark everything seen"),
    "archive-all": ("archived", "Archive everything"),
}
_ALL: Final = msgspec.json.Decoder(MarkAllRequest)


def _mark(source: Source, action: str) -> HTTPRouteHandler:
    field, value, summary = MARKS[action]

    @post(
        f"/v1/inbox/{source}s/{{id:str}}/{action}",
        before_request=require_subscriber,
        operation_id=f"{action}_{source}",
        opt=describe(
            Operation(
                summary=summary.format(source),
                tag="Inbox",
                answers={204: Answer("So it is now, and perhaps was before.")},
                errors=["not_found"],
            )
        ),
    )
    async def mark(request: Request) -> Reply:
        """Every device of the person is told. Nothing is written where nothing changes."""
        await request.read()
        await request.services.inbox.mark(
            request.identity, source=source, item_id=request.item_id(source), field=field, value=value
        )
        return replies.no_content()

    return mark


def _mark_all(action: str) -> HTTPRouteHandler:
    watermark, summary = _WATERMARKS[action]

    @post(
        f"/v1/inbox/{action}",
        before_request=require_subscriber,
        operation_id=action.replace("-", "_"),
        opt=describe(
            Operation(
                summary=summary,
                tag="Inbox",
                body=MarkAllRequest,
                body_required=False,
                examples={
                    "Everything": {},
                    "What is on screen: write its newest ids for null": {
                        "up_to": {"notification": None, "broadcast": None}
                    },
                },
                answers={200: Answer("The counts right after.", Counts)},
                errors=["not_found"],
            )
        ),
    )
    async def mark_all(request: Request) -> Reply:
        """What arrives while this runs is never covered: say with `up_to` what was on screen.

        The ids are those of `GET /v1/inbox/items`. One that is not in this inbox is answered by 404.
        """
        wanted = await request.decode_optional(_ALL)
        up_to = None if wanted is None else _up_to(wanted.up_to)
        return replies.json(
            await request.services.inbox.mark_all(request.identity, watermark=watermark, up_to=up_to)
        )

    return mark_all


def _up_to(wanted: str | UpTo | None) -> UpToItem | UpToItems | None:
    """Raises InvalidRequest for what is not an id."""
    match wanted:
        case None:
            return None
        case UpTo():
            return UpToItems(
                _item_id("notification", wanted.notification), _item_id("broadcast", wanted.broadcast)
            )
        case str():
            source: Source = "notification" if wanted.startswith("notif_") else "broadcast"
            item_id = ids.decode_item(source, wanted)
            if item_id is None:
                raise InvalidRequest("up_to must be the id of a notification or a broadcast")
            return UpToItem(source, item_id)


def _item_id(source: Source, text: str | None) -> UUID | None:
    """Raises InvalidRequest."""
    if text is None:
        return None
    item_id = ids.decode_item(source, text)
    if item_id is None:
        raise InvalidRequest(f"up_to.{source} must be the id of a {source}")
    return item_id


MARK_ITEM: Final[Sequence[HTTPRouteHandler]] = tuple(
    _mark(source, action) for source in ("notification", "broadcast") for action in MARKS
)
MARK_ALL: Final[Sequence[HTTPRouteHandler]] = tuple(_mark_all(action) for action in _WATERMARKS)
