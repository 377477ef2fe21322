"""/v1/subscribers and /v1/subscribers/{id}."""

from collections.abc import Sequence
from typing import Final

import msgspec
from litestar import delete, get, put
from litestar.handlers import HTTPRouteHandler

from app.api import parameters, replies
from app.api.auth import require_api_key
from app.api.describe import Answer, Operation, describe
from app.api.management.parameters import subscriber_id
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract.requests import SubscriberRequest
from app.contract.resources import Listing, Subscriber, SubscriberDetail

_PUT: Final = msgspec.json.Decoder(SubscriberRequest)
_PATH: Final = "/v1/subscribers/{subscriber_id:str}"


@get(
    "/v1/subscribers",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="List subscribers",
            tag="Subscribers",
            parameters=PAGE.parameters,
            answers={200: Answer("One page.", Listing[Subscriber])},
        )
    ),
)
async def list_subscribers(request: Request) -> Reply:
    """Newest first by `created_at`."""
    query = request.query
    found = await request.services.subscribers.page(
        request.api_key.environment_id, before=parameters.timed_place(query), limit=PAGE.of(query)
    )
    return replies.json(found)


@put(
    _PATH,
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Create a subscriber",
            tag="Subscribers",
            body=SubscriberRequest,
            body_required=False,
            examples={"Joined last spring": {"created_at": "2026-04-01T00:00:00Z"}},
            answers={200: Answer("The subscriber, new or as it was.", Subscriber)},
        )
    ),
)
async def put_subscriber(request: Request) -> Reply:
    """Creates the person where they are new, and changes nothing where they are not.

    Nobody has to be created ahead: whoever is sent something, or opens an inbox, comes into being. An
    import can date people back, so that they see the broadcasts since they joined.
    """
    wanted = await request.decode_optional(_PUT)
    created_at = None if wanted is None else wanted.created_at
    return replies.json(
        await request.services.subscribers.put(
            request.api_key.environment_id, subscriber_id(request), created_at
        )
    )


@get(
    _PATH,
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Get a subscriber",
            tag="Subscribers",
            answers={200: Answer("The person, and the numbers on their bell.", SubscriberDetail)},
            errors=["not_found"],
        )
    ),
)
async def get_subscriber(request: Request) -> Reply:
    """Creates nobody: 404 where there is no such person."""
    return replies.json(
        await request.services.subscribers.get(request.api_key.environment_id, subscriber_id(request))
    )


@delete(
    _PATH,
    status_code=200,
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Erase a subscriber",
            tag="Subscribers",
            answers={204: Answer("Gone, with every row about them.")},
            errors=["not_found"],
        )
    ),
)
async def delete_subscriber(request: Request) -> Reply:
    """What waits for them is erased too, and their open sockets are closed.

    The id is free at once: whoever comes with it next is new, and sees nothing of before.
    """
    await request.services.subscribers.erase(request.api_key.environment_id, subscriber_id(request))
    return replies.no_content()


# A person may be called `import`. Litestar serves that path from the import's own routes and no other.
NAMED_IMPORT: Final[Sequence[HTTPRouteHandler]] = tuple(
    method("/v1/subscribers/import", status_code=200, before_request=require_api_key)(handler.fn)
    for method, handler in ((get, get_subscriber), (put, put_subscriber), (delete, delete_subscriber))
)
