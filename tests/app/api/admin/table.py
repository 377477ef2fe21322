"""Every route of the admin API: who may use it, and a request of each kind.

The tests of roles, of the order of checks and of the audit take all routes from here; one that has no line
fails them. Paths name what `make_things` makes, in braces.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from app.contract.admin import AuditAction, Capability
from app.db.pool import Pool
from tests.app.api.admin.people import PASSWORD, make_admin

SECRET_PASSWORD: Final = "one that nobody may read"
NOBODY: Final = "adm_00000000000000000000000000"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One route.

    capability: as the contract says; None: whoever is logged in. path: with {names} of things there are.
    body: one that succeeds with `status`. malformed: bodies, and queries, that are 400. missing: paths that
    name what is not there. action: what the audit says of a success, None where nothing is written.
    is_open: takes no session.
    """

    capability: Capability | None
    path: str
    status: int
    body: Mapping[str, Any] | None = None
    malformed: Sequence[object] = ()
    missing: Sequence[str] = ()
    action: AuditAction | None = None
    is_open: bool = False


NOT_A_BODY: Final[Sequence[object]] = ("a string", {"typo": 1}, None)
BAD_PAGES: Final[Sequence[object]] = ("?limit=0", "?limit=201", "?cursor=", "?cursor=x", "?limit=1&limit=2")

TABLE: Final[Mapping[str, Line]] = {
    "POST /admin/api/login": Line(
        capability=None,
        path="/admin/api/login",
        status=200,
        body={"email": "{user_email}", "password": PASSWORD},
        malformed=[*NOT_A_BODY, {"email": "a@b"}, {"email": "a@b", "password": ""}],
        action="session.login",
        is_open=True,
    ),
    "POST /admin/api/logout": Line(
        capability=None, path="/admin/api/logout", status=204, action="session.logout"
    ),
    "GET /admin/api/me": Line(capability=None, path="/admin/api/me", status=200),
    "GET /admin/api/users": Line(
        capability="user:manage", path="/admin/api/users", status=200, malformed=BAD_PAGES
    ),
    "POST /admin/api/users": Line(
        capability="user:manage",
        path="/admin/api/users",
        status=201,
        body={"email": "new@example.com", "name": "New", "role": "viewer", "password": SECRET_PASSWORD},
        malformed=[
            *NOT_A_BODY,
            {"email": "new@example.com", "name": "New", "role": "owner", "password": SECRET_PASSWORD},
            {"email": "new@example.com", "name": "New", "role": "viewer", "password": "x" * 11},
            {"email": "new@example.com", "name": "New", "role": "viewer", "password": "x" * 1025},
            {"email": "new@example.com", "name": "", "role": "viewer", "password": SECRET_PASSWORD},
            {"email": "nobody", "name": "New", "role": "viewer", "password": SECRET_PASSWORD},
            {"email": "x@" + "x" * 254, "name": "New", "role": "viewer", "password": SECRET_PASSWORD},
        ],
        action="user.create",
    ),
    "PATCH /admin/api/users/{id}": Line(
        capability="user:manage",
        path="/admin/api/users/{user}",
        status=200,
        body={"name": "Renamed", "role": "operator", "disabled": True},
        malformed=[*NOT_A_BODY, {"disabled": "yes"}, {"email": "other@example.com"}, {"name": ""}],
        missing=[f"/admin/api/users/{NOBODY}", "/admin/api/users/x", "/admin/api/users/%20"],
        action="user.update",
    ),
    "DELETE /admin/api/users/{id}": Line(
        capability="user:manage",
        path="/admin/api/users/{user}",
        status=204,
        missing=[f"/admin/api/users/{NOBODY}", "/admin/api/users/x"],
        action="user.delete",
    ),
    "POST /admin/api/users/{id}/password": Line(
        capability="user:manage",
        path="/admin/api/users/{user}/password",
        status=204,
        body={"password": SECRET_PASSWORD},
        malformed=[
            *NOT_A_BODY,
            {"password": "x" * 11},
            {"password": SECRET_PASSWORD, "current_password": ""},
        ],
        missing=[f"/admin/api/users/{NOBODY}/password", "/admin/api/users/x/password"],
        action="user.set_password",
    ),
    "GET /admin/api/audit": Line(
        capability="user:manage", path="/admin/api/audit", status=200, malformed=BAD_PAGES
    ),
}


async def make_things(pool: Pool) -> dict[str, str]:
    """New ones of all that paths and bodies name."""
    user = await make_admin(pool, "viewer")
    return {"user": user.id, "user_email": user.email}


def filled(template: Any, things: Mapping[str, str]) -> Any:
    """A path or body with its {names} replaced."""
    if isinstance(template, str):
        for name, value in things.items():
            template = template.replace(f"{{{name}}}", value)
        return template
    if isinstance(template, Mapping):
        return {name: filled(value, things) for name, value in template.items()}
    return template
