"""Logging in, and what ends it."""

import hashlib
import re
from collections.abc import AsyncGenerator
from http.cookies import SimpleCookie

import httpx
import msgspec
import pytest

from app.api import main, server
from app.db.pool import Pool
from app.settings import Settings
from tests.app.api.admin.people import MARKED, PASSWORD, Admin, log_in, make_admin
from tests.app.api.wire import assert_refused


async def is_in(client: httpx.AsyncClient, admin: Admin) -> bool:
    client.cookies.clear()
    answer = await client.get("/admin/api/me", headers=admin.headers)
    if answer.status_code != 200:
        assert_refused(answer, 401, "unauthorized")
    return answer.status_code == 200


async def test_logging_in_sets_a_cookie_that_opens_the_plane(client: httpx.AsyncClient, grace: Admin) -> None:
    answer = await log_in(client, grace.email)
    assert answer.status_code == 200
    assert answer.json()["id"] == grace.id
    (header,) = answer.headers.get_list("set-cookie")
    assert re.fullmatch(r"bellwire_admin=[\w-]{43}; HttpOnly; SameSite=Strict; Path=/admin", header)
    me = await client.get("/admin/api/me")
    assert me.json() == answer.json()


@pytest.fixture
async def behind_tls(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    async with main.wire(msgspec.structs.replace(settings, tls_terminated=True)) as services:
        listener = server.listen(settings.listen)
        async with (
            server.serve(main.create_app(services), listener, patience_s=1) as bound,
            httpx.AsyncClient(base_url=f"http://{bound}", timeout=30, trust_env=False) as client,
        ):
            yield client


async def test_the_cookie_is_secure_where_tls_ends_in_front(
    behind_tls: httpx.AsyncClient, grace: Admin
) -> None:
    answer = await log_in(behind_tls, grace.email)
    assert answer.headers["set-cookie"].endswith("; HttpOnly; SameSite=Strict; Path=/admin; Secure")
    answer = await behind_tls.post("/admin/api/logout", headers=grace.headers)
    assert answer.headers["set-cookie"].endswith("; Secure; Max-Age=0")


async def test_only_the_hash_of_a_session_is_stored(
    client: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    token = SimpleCookie((await log_in(client, grace.email)).headers["set-cookie"])["bellwire_admin"].value
    stored = await pool.fetch("SELECT token_hash FROM admin_sessions")
    assert hashlib.sha256(token.encode()).digest() in {row[0] for row in stored}
    assert token not in str(await pool.fetch("SELECT s::text FROM admin_sessions s"))
    assert token.encode().hex() not in str(await pool.fetch("SELECT s::text FROM admin_sessions s"))


async def test_an_email_is_known_by_its_trimmed_lower_case(client: httpx.AsyncClient, grace: Admin) -> None:
    for spelling in ("Grace@Example.COM", "  grace@example.com\n", "\u00a0GRACE@example.com\u2003"):
        assert (await log_in(client, spelling)).json()["email"] == grace.email


async def test_nothing_but_a_token_that_was_given_out_opens_the_plane(
    client: httpx.AsyncClient, grace: Admin, subtests: pytest.Subtests
) -> None:
    hashed = hashlib.sha256(grace.token.encode()).hexdigest()
    for value in ("", "x", hashed, grace.token[:-1], grace.token + "x", "%00", "\u00ff", f'"{grace.token}x"'):
        with subtests.test(value=value):
            cookie = httpx.Headers({"Cookie": f"bellwire_admin={value}"}, encoding="latin-1")
            assert_refused(await client.get("/admin/api/me", headers=cookie), 401, "unauthorized")
    for headers in ({"Authorization": f"Bearer {grace.token}"}, {"Cookie": f"other={grace.token}"}):
        assert_refused(await client.get("/admin/api/me", headers=headers), 401, "unauthorized")


async def test_logging_out_ends_this_session_and_no_other(
    client: httpx.AsyncClient, grace: Admin, console: httpx.AsyncClient
) -> None:
    await log_in(client, grace.email)
    answer = await client.post("/admin/api/logout", headers=MARKED)
    assert answer.status_code == 204
    assert answer.headers["set-cookie"].startswith("bellwire_admin=; ")
    assert "bellwire_admin" not in client.cookies
    assert (await console.get("/admin/api/me")).status_code == 200
    assert (await console.post("/admin/api/logout")).status_code == 204
    assert not await is_in(client, grace)


async def test_a_session_lasts_eight_hours_of_the_databases_clock_whatever_is_done_with_it(
    client: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    await pool.execute("DELETE FROM admin_sessions")
    token = SimpleCookie((await log_in(client, grace.email)).headers["set-cookie"])["bellwire_admin"].value
    lasts = "SELECT extract(epoch FROM expires_at - created_at)::float FROM admin_sessions"
    assert await pool.fetchval(lasts) == pytest.approx(8 * 3600, abs=1)
    admin = msgspec.structs.replace(grace, token=token)
    await pool.execute("UPDATE admin_sessions SET expires_at = clock_timestamp() + interval '2 minutes'")
    before = await pool.fetchval("SELECT expires_at FROM admin_sessions")
    assert await is_in(client, admin)
    assert await pool.fetchval("SELECT expires_at FROM admin_sessions") == before
    await pool.execute("UPDATE admin_sessions SET expires_at = clock_timestamp()")
    assert not await is_in(client, admin)


async def test_disabling_and_deleting_end_every_session_at_once(
    client: httpx.AsyncClient, console: httpx.AsyncClient, pool: Pool
) -> None:
    disabled, deleted = await make_admin(pool, "operator"), await make_admin(pool, "operator")
    assert await is_in(client, disabled)
    assert await is_in(client, deleted)
    path = f"/admin/api/users/{disabled.id}"
    assert (await console.patch(path, json={"disabled": True})).json()["disabled"] is True
    assert (await console.delete(f"/admin/api/users/{deleted.id}")).status_code == 204
    assert not await is_in(client, disabled)
    assert not await is_in(client, deleted)
    assert (await console.patch(path, json={"disabled": False})).json()["disabled"] is False
    assert not await is_in(client, disabled), "enabling brings no session back"
    assert (await log_in(client, disabled.email)).status_code == 200


async def test_a_disabled_user_is_out_though_the_session_is_still_there(
    client: httpx.AsyncClient, pool: Pool
) -> None:
    admin = await make_admin(pool)
    await pool.execute("UPDATE admin_users SET disabled = true WHERE id = $1", admin.user_id)
    assert not await is_in(client, admin)


async def test_another_role_holds_from_the_next_request_on(
    client: httpx.AsyncClient, console: httpx.AsyncClient, pool: Pool
) -> None:
    other = await make_admin(pool, "viewer")
    assert_refused(await client.get("/admin/api/users", headers=other.headers), 403, "forbidden")
    path = f"/admin/api/users/{other.id}"
    assert (await console.patch(path, json={"role": "admin"})).status_code == 200
    assert (await client.get("/admin/api/users", headers=other.headers)).status_code == 200
    assert (await console.patch(path, json={"role": "viewer"})).status_code == 200
    assert_refused(await client.get("/admin/api/users", headers=other.headers), 403, "forbidden")


async def test_a_new_password_ends_all_sessions_and_the_old_one_is_over(
    client: httpx.AsyncClient, console: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    other = await make_admin(pool, "viewer")
    for admin, body in (
        (other, {"password": "another good one"}),
        (grace, {"password": "another good one", "current_password": PASSWORD}),
    ):
        answer = await console.post(f"/admin/api/users/{admin.id}/password", json=body)
        assert answer.status_code == 204
        assert not await is_in(client, admin)
        assert_refused(await log_in(client, admin.email), 401, "unauthorized")
        assert (await log_in(client, admin.email, "another good one")).status_code == 200
