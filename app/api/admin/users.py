"""/admin/api/users."""

from typing import Final
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post

from app.api import parameters, replies
from app.api.admin.guard import admit, admits, require_session
from app.api.describe import Answer, Operation
from app.api.parameters import PAGE
from app.api.replies import Reply
from app.api.request import Request
from app.contract import ids
from app.contract.admin import PasswordRequest, User, UserRequest, UserUpdate
from app.contract.resources import Listing

_CREATE: Final = msgspec.json.Decoder(UserRequest)
_UPDATE: Final = msgspec.json.Decoder(UserUpdate)
_PASSWORD: Final = msgspec.json.Decoder(PasswordRequest)


@get(
    "/admin/api/users",
    before_request=require_session,
    opt=admits(
        "user:manage",
        Operation(
            summary="List users",
            tag="Admin",
            parameters=PAGE.parameters,
            answers={200: Answer("One page.", Listing[User])},
        ),
    ),
)
async def list_users(request: Request) -> Reply:
    """Newest first."""
    limit, before = PAGE.of(request.query), parameters.place(request.query)
    admit(request)
    return replies.json(await request.services.admin_users.page(before=before, limit=limit))


@post(
    "/admin/api/users",
    before_request=require_session,
    opt=admits(
        "user:manage",
        Operation(
            summary="Create a user",
            tag="Admin",
            body=UserRequest,
            answers={201: Answer("The user.", User)},
            errors=["conflict"],
        ),
    ),
)
async def create_user(request: Request) -> Reply:
    """Tell them their password by a way of your own; they can change it."""
    wanted = await request.decode(_CREATE)
    admin = admit(request)
    return replies.json(await request.services.admin_users.create(admin, wanted), status=201)


@patch(
    "/admin/api/users/{id:str}",
    before_request=require_session,
    opt=admits(
        "user:manage",
        Operation(
            summary="Change a user",
            tag="Admin",
            body=UserUpdate,
            answers={200: Answer("The user as it is now.", User)},
            errors=["not_found", "conflict"],
        ),
    ),
)
async def update_user(request: Request) -> Reply:
    """Acts at once, on sessions too. Not for disabling or demoting yourself, or the last enabled admin."""
    wanted = await request.decode(_UPDATE)
    admin = admit(request)
    return replies.json(await request.services.admin_users.update(admin, _user_id(request), wanted))


@delete(
    "/admin/api/users/{id:str}",
    status_code=200,
    before_request=require_session,
    opt=admits(
        "user:manage",
        Operation(
            summary="Delete a user",
            tag="Admin",
            answers={204: Answer("Gone, and logged out. The audit keeps what they did.")},
            errors=["not_found", "conflict"],
        ),
    ),
)
async def delete_user(request: Request) -> Reply:
    """Not for yourself, or the last enabled admin."""
    await request.read()
    admin = admit(request)
    await request.services.admin_users.delete(admin, _user_id(request))
    return replies.no_content()


@post(
    "/admin/api/users/{id:str}/password",
    before_request=require_session,
    opt=admits(
        "user:manage",
        Operation(
            summary="Set a password",
            tag="Admin",
            body=PasswordRequest,
            answers={204: Answer("Set; all sessions of that user have ended.")},
            errors=["not_found"],
        ),
    ),
)
async def set_password(request: Request) -> Reply:
    """Anybody may set their own, and gives the current one with it."""
    wanted = await request.decode(_PASSWORD)
    user_id = _user_id(request)
    admin = admit(request, own=user_id)
    await request.services.admin_users.set_password(admin, user_id, wanted)
    return replies.no_content()


def _user_id(request: Request) -> UUID | None:
    return ids.decode("adm", request.path_value("id"))
