"""/admin/api/environments/{env}/api-keys."""

from typing import Final

import msgspec
from litestar import get, post

from app.api import parameters, replies
from app.api.admin.guard import admit, admits, require_session
from app.api.describe import Answer, Operation
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract.admin_environments import ApiKey, ApiKeyRequest, NewApiKey
from app.contract.resources import Listing

_CREATE: Final = msgspec.json.Decoder(ApiKeyRequest)
_PATH: Final = "/admin/api/environments/{env:str}/api-keys"


@get(
    _PATH,
    before_request=require_session,
    opt=admits(
        "apikey:read",
        Operation(
            summary="List an environment's keys",
            tag="Admin",
            parameters=PAGE.parameters,
            answers={200: Answer("One page.", Listing[ApiKey])},
            errors=["not_found"],
        ),
    ),
)
async def list_api_keys(request: Request) -> Reply:
    """Newest first, revoked ones included. The keys themselves are stored nowhere."""
    limit, before = PAGE.of(request.query), parameters.place(request.query)
    admit(request)
    return replies.json(
        await request.services.api_keys.page(request.path_value("env"), before=before, limit=limit)
    )


@post(
    _PATH,
    before_request=require_session,
    opt=admits(
        "apikey:manage",
        Operation(
            summary="Create a key",
            tag="Admin",
            body=ApiKeyRequest,
            examples={"For the shop": {"name": "shop"}},
            answers={201: Answer("The key: this is the only time it can be seen.", NewApiKey)},
            errors=["not_found"],
        ),
    ),
)
async def create_api_key(request: Request) -> Reply:
    """What a backend sends as its bearer token. It implies the environment."""
    wanted = await request.decode(_CREATE)
    admin = admit(request)
    created = await request.services.api_keys.create(admin, request.path_value("env"), name=wanted.name)
    return replies.json(created, status=201)


@post(
    _PATH + "/{key:str}/revoke",
    before_request=require_session,
    opt=admits(
        "apikey:manage",
        Operation(
            summary="Revoke a key",
            tag="Admin",
            answers={204: Answer("Revoked now, or before.")},
            errors=["not_found"],
        ),
    ),
)
async def revoke_api_key(request: Request) -> Reply:
    """For good. It is refused within a second, everywhere."""
    await request.read()
    admin = admit(request)
    await request.services.api_keys.revoke(admin, request.path_value("env"), request.path_value("key"))
    return replies.no_content()
