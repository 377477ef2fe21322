"""/v1/inbox/items and /v1/inbox/items/{id}."""

from typing import Final

from litestar import get

from app.api import replies
from app.api.auth import require_subscriber
from app.api.describe import Answer, Operation, describe
from app.api.inbox import parameters
from app.api.replies import Reply
from app.api.request import Request
from app.contract.errors import NotFound
from app.contract.ids import Source
from app.contract.resources import Item, Page

_SOURCES: Final[dict[str, Source]] = {"notif": "notification", "bcast": "broadcast"}
_CACHE: Final = (b"cache-control", b"private, max-age=0")


@get(
    "/v1/inbox/items",
    before_request=require_subscriber,
    opt=describe(
        Operation(
            summary="List the inbox",
            tag="Inbox",
            parameters=parameters.OF_PAGE,
            answers={
                200: Answer("One page.", Page, headers={"ETag": "Names this very page."}),
                304: Answer("The page is the one whose ETag you sent.", headers={"ETag": "As you sent it."}),
            },
        )
    ),
)
async def list_items(request: Request) -> Reply:
    """Notifications and broadcasts together, newest first, stable while more arrive.

    Muted categories are left out, archived items too unless you ask for them.
    """
    query = request.query
    reply = await request.services.inbox.page(
        request.identity,
        view=parameters.view(query),
        categories=parameters.categories(query),
        cursor=parameters.cursor(query),
        limit=parameters.LIMIT.of(query),
        known_etags=parameters.known_etags(request.header_list("if-none-match")),
    )
    etag = (b"etag", b'"%b"' % reply.etag.encode())
    if reply.page is None:
        return Reply(304, headers=[etag, _CACHE])
    return replies.content(reply.page, b"application/json", etag, _CACHE)


@get(
    "/v1/inbox/items/{id:str}",
    before_request=require_subscriber,
    opt=describe(
        Operation(
            summary="Get one item",
            tag="Inbox",
            answers={200: Answer("As the list would show it.", Item)},
            errors=["not_found"],
        )
    ),
)
async def get_item(request: Request) -> Reply:
    """Of either source, whatever its state: archived and muted items too."""
    source = _SOURCES.get(request.path_value("id").partition("_")[0])
    if source is None:
        raise NotFound("no such item")
    return replies.json(
        await request.services.inbox.item(request.identity, source=source, item_id=request.item_id(source))
    )
