"""/admin/api/environments, and the rotation of their secrets."""

from typing import Final

import msgspec
from litestar import get, patch, post

from app.api import parameters, replies
from app.api.admin.guard import admit, admits, require_session
from app.api.describe import Answer, Operation
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract.admin_environments import (
    Environment,
    EnvironmentDetail,
    EnvironmentRequest,
    EnvironmentUpdate,
    Rotation,
)
from app.contract.resources import Listing
from app.db.admin_sessions import AdminIdentity
from app.db.environments import EnvironmentRecord
from app.services.environments import to_detail

_CREATE: Final = msgspec.json.Decoder(EnvironmentRequest)
_UPDATE: Final = msgspec.json.Decoder(EnvironmentUpdate)
_PATH: Final = "/admin/api/environments"


@get(
    _PATH,
    before_request=require_session,
    opt=admits(
        "read",
        Operation(
            summary="List environments",
            tag="Admin",
            parameters=PAGE.parameters,
            answers={200: Answer("One page.", Listing[Environment])},
        ),
    ),
)
async def list_environments(request: Request) -> Reply:
    """Newest first."""
    limit, before = PAGE.of(request.query), parameters.place(request.query)
    admit(request)
    return replies.json(await request.services.environments.page(before=before, limit=limit))


@post(
    _PATH,
    before_request=require_session,
    opt=admits(
        "env:manage",
        Operation(
            summary="Create an environment",
            tag="Admin",
            body=EnvironmentRequest,
            examples={"Production": {"slug": "production", "name": "Production"}},
            answers={201: Answer("The environment, with its secret.", EnvironmentDetail)},
            errors=["conflict"],
        ),
    ),
)
async def create_environment(request: Request) -> Reply:
    """A tenant with its own subscribers, keys and secret. A proof is required unless you say otherwise."""
    wanted = await request.decode(_CREATE)
    admin = admit(request)
    created = await request.services.environments.create(
        admin,
        slug=wanted.slug,
        name=wanted.name,
        require_subscriber_hash=wanted.require_subscriber_hash is not False,
    )
    return _detail(admin, created, status=201)


@get(
    _PATH + "/{env:str}",
    before_request=require_session,
    opt=admits(
        "read",
        Operation(
            summary="Get an environment",
            tag="Admin",
            answers={200: Answer("As it is now.", EnvironmentDetail)},
            errors=["not_found"],
        ),
    ),
)
async def get_environment(request: Request) -> Reply:
    """With its secret, where your role has `env:read_secret`."""
    admin = admit(request)
    return _detail(admin, await request.services.environments.find(request.path_value("env")))


@patch(
    _PATH + "/{env:str}",
    before_request=require_session,
    opt=admits(
        "env:manage",
        Operation(
            summary="Change an environment",
            tag="Admin",
            body=EnvironmentUpdate,
            examples={"Require a proof": {"require_subscriber_hash": True}},
            answers={200: Answer("As it is now.", EnvironmentDetail)},
            errors=["not_found"],
        ),
    ),
)
async def update_environment(request: Request) -> Reply:
    """Acts within seconds, on open sockets too: who has no proof is out once it is required."""
    wanted = await request.decode(_UPDATE)
    admin = admit(request)
    updated = await request.services.environments.update(
        admin,
        request.path_value("env"),
        name=wanted.name,
        require_subscriber_hash=wanted.require_subscriber_hash,
    )
    return _detail(admin, updated)


@post(
    _PATH + "/{env:str}/hmac/rotate",
    status_code=200,
    before_request=require_session,
    opt=admits(
        "hmac:rotate",
        Operation(
            summary="Rotate an environment's secret",
            tag="Admin",
            answers={200: Answer("The new secret.", Rotation)},
            errors=["not_found"],
        ),
    ),
)
async def rotate_secret(request: Request) -> Reply:
    """From now on two secrets are good: this one, and the one before it, until you complete the rotation.

    There are two at most: rotated again before that, the older one is over at once.
    """
    await request.read()
    admin = admit(request)
    return replies.json(await request.services.environments.rotate_secret(admin, request.path_value("env")))


@post(
    _PATH + "/{env:str}/hmac/rotate/complete",
    before_request=require_session,
    opt=admits(
        "hmac:rotate",
        Operation(
            summary="Complete a rotation",
            tag="Admin",
            answers={204: Answer("The previous secret is over, if there was one.")},
            errors=["not_found"],
        ),
    ),
)
async def complete_rotation(request: Request) -> Reply:
    """Sockets and streams that the previous secret let in are closed within two seconds."""
    await request.read()
    admin = admit(request)
    await request.services.environments.complete_rotation(admin, request.path_value("env"))
    return replies.no_content()


def _detail(admin: AdminIdentity, environment: EnvironmentRecord, *, status: int = 200) -> Reply:
    with_secret = "env:read_secret" in admin.capabilities
    return replies.json(to_detail(environment, with_secret=with_secret), status=status)
