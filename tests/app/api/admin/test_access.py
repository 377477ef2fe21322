"""Who may do what, and in which order a request is judged: for every route of the admin API."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest

from app.api import routes
from app.api.admin.guard import PLANE
from app.api.openapi import operations
from app.contract.admin import Capability, Role
from app.db.pool import Pool
from app.settings import Address
from tests.app.api.admin.people import MARKED, Admin, make_admin
from tests.app.api.admin.table import TABLE, Line, filled, make_things
from tests.app.api.wire import assert_refused, exchange, request

# As the contract says it, beside what the code says.
ROLES: Final[Mapping[Role, set[Capability]]] = {
    "viewer": {"read"},
    "operator": {"read", "dlq:replay", "broadcast:compose"},
    "developer": {"read", "apikey:read", "apikey:manage", "env:read_secret"},
    "admin": {
        *("read", "dlq:replay", "broadcast:compose", "apikey:read", "apikey:manage", "env:read_secret"),
        *("env:manage", "hmac:rotate", "user:manage"),
    },
}
UNKNOWN_PATHS: Final = ("", "/", "/unknown", "/users/x/unknown", "/users/", "//users", "/login/x")


def who_may_not(line: Line) -> Role | None:
    """Somebody without the route's capability; None where everybody has it."""
    return next((role for role in ROLES if line.capability and line.capability not in ROLES[role]), None)


async def ask(
    client: httpx.AsyncClient, name: str, path: str, body: object = None, admin: Admin | None = None
) -> httpx.Response:
    """body: a str that begins with ? is a query."""
    client.cookies.clear()
    headers = {**MARKED} if admin is None else admin.headers
    method = name.partition(" ")[0]
    if isinstance(body, str) and body.startswith("?"):
        return await client.request(method, path + body, headers=headers)
    if body is None:
        return await client.request(method, path, headers=headers)
    return await client.request(method, path, headers=headers, json=body)


def test_every_route_has_a_line() -> None:
    known = {
        f"{method} {operations.path_of(handler)}"
        for handler in routes.HANDLERS
        for method in handler.http_methods
        if operations.path_of(handler).startswith(PLANE)
    }
    assert known == set(TABLE)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_do_what_it_lists_and_nothing_else(
    role: Role, client: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    await make_admin(pool)
    for name, line in TABLE.items():
        with subtests.test(route=name):
            things, admin = await make_things(pool), await make_admin(pool, role)
            path = filled(line.path, things)
            answer = await ask(client, name, path, filled(line.body, things), admin)
            if line.capability is None or line.capability in ROLES[role]:
                assert answer.status_code == line.status, answer.text
            else:
                assert_refused(answer, 403, "forbidden", role, line.capability)


@pytest.mark.parametrize("role", ROLES)
async def test_me_says_what_the_role_may(role: Role, client: httpx.AsyncClient, pool: Pool) -> None:
    admin = await make_admin(pool, role)
    answer = await ask(client, "GET", "/admin/api/me", None, admin)
    assert answer.json() == {
        "id": admin.id,
        "email": admin.email,
        "name": role.title(),
        "role": role,
        "capabilities": sorted(ROLES[role]),
    }


async def test_no_write_without_the_header_that_no_other_page_can_send(
    client: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    """Before anything else: whoever asks, wherever, with whatever body."""
    admin, things = await make_admin(pool), await make_things(pool)
    cookie = {"Cookie": admin.headers["Cookie"]}
    writes = [name for name in TABLE if not name.startswith("GET")]
    for name in [*writes, "POST /admin/api/unknown", "PUT /admin/api/me", "DELETE /admin/api"]:
        method, path = name.split(" ")
        path = filled(TABLE[name].path, things) if name in TABLE else path
        for headers in ({}, cookie, {**cookie, "X-Bellwire-Admin": ""}):
            for content in (b"", b"{", b"x" * (2 << 20)):
                with subtests.test(route=name, headers=headers, size=len(content)):
                    answer = await client.request(method, path, content=content, headers=headers)
                    assert_refused(answer, 403, "forbidden", "X-Bellwire-Admin")
    assert await pool.fetchval("SELECT count(*) FROM audit_log") == 0
    assert (await client.get("/admin/api/me", headers=cookie)).status_code == 200


async def test_no_path_is_so_wrong_that_the_header_is_not_missed(
    address: Address, subtests: pytest.Subtests
) -> None:
    for path in (b"/", b"//x", b"/x/", b"/%zz", b"/%ff", b"?x", b"/users/%", b""):
        for prefix in (b"/admin/api", b"/%61dmin/api", b"/admin/%61p%69"):
            for method in ("POST", "DELETE", "PUT", "PATCH"):
                with subtests.test(method=method, path=prefix + path):
                    answer = await exchange(address, request(method, prefix + path))
                    assert_refused(answer, 403, "forbidden", "X-Bellwire-Admin")
                    assert answer.headers["cache-control"] == "no-store"
    for path in (b"/admin%2Fapi/x", b"//admin/api", b"/Admin/api/x", b"/admin/apis"):
        with subtests.test(path=path):
            assert (await exchange(address, request("POST", path))).status_code in (404, 405)


async def test_a_session_comes_before_all_that_a_request_can_be_wrong_with(
    client: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    things = await make_things(pool)
    for name, line in TABLE.items():
        for body in (filled(line.body, things), *line.malformed, "?%zz=1"):
            with subtests.test(route=name, body=body):
                answer = await ask(client, name, filled(line.path, things), body)
                if line.is_open:
                    assert answer.status_code in (line.status, 400)
                else:
                    assert_refused(answer, 401, "unauthorized")


async def test_shape_comes_before_the_capability(
    client: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    things = await make_things(pool)
    for name, line in TABLE.items():
        admin = await make_admin(pool, who_may_not(line) or "viewer")
        for malformed in (*line.malformed, "?%zz=1", "?a=%ff"):
            for path in (line.path, *line.missing):
                with subtests.test(route=name, malformed=malformed, path=path):
                    answer = await ask(client, name, filled(path, things), malformed, admin)
                    assert_refused(answer, 400, "invalid_request")


async def test_the_capability_comes_before_existence(
    client: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    things, admin = await make_things(pool), await make_admin(pool)
    for name, line in TABLE.items():
        nobody = who_may_not(line)
        for path in line.missing:
            with subtests.test(route=name, path=path):
                body = filled(line.body, things)
                answer = await ask(client, name, filled(path, things), body, admin)
                assert_refused(answer, 404, "not_found")
                if nobody is not None:
                    refused = await make_admin(pool, nobody)
                    answer = await ask(client, name, filled(path, things), body, refused)
                    assert_refused(answer, 403, "forbidden")


async def test_what_is_not_there_has_the_envelope_and_no_page(
    client: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    for headers in (MARKED, (await make_admin(pool)).headers):
        for path in UNKNOWN_PATHS:
            for method in ("GET", "POST"):
                with subtests.test(path=path, method=method):
                    answer = await client.request(method, f"/admin/api{path}", headers=headers)
                    assert_refused(answer, 404, "not_found")
        for name, method in (("users", "PUT"), ("login", "GET"), ("me", "DELETE"), ("users", "OPTIONS")):
            answer = await client.request(method, f"/admin/api/{name}", headers=headers)
            assert_refused(answer, 405, "method_not_allowed")
            assert answer.headers["allow"]


async def test_no_answer_is_kept_or_told_to_other_origins(client: httpx.AsyncClient, pool: Pool) -> None:
    admin = await make_admin(pool)
    origin: dict[str, Any] = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("me", "users", "unknown"):
        answer = await client.get(f"/admin/api/{path}", headers={**admin.headers, **origin})
        assert answer.headers["cache-control"] == "no-store"
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert (await client.options("/admin/api/users", headers=origin)).status_code == 405
