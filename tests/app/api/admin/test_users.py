"""Administrators manage each other, and one of them can always get in."""

import asyncio
from collections import Counter

import httpx
import pytest

from app.db.pool import Pool
from tests.app.api.admin.people import PASSWORD, Admin, log_in, make_admin
from tests.app.api.wire import assert_refused
from tests.harness import eventually

NEW = {"email": " Ada@Example.com ", "name": "Ada", "role": "developer", "password": "a long enough one"}


async def test_a_new_user_can_log_in(client: httpx.AsyncClient, console: httpx.AsyncClient) -> None:
    answer = await console.post("/admin/api/users", json=NEW)
    assert answer.status_code == 201
    user = answer.json()
    assert set(user) == {"id", "email", "name", "role", "disabled", "created_at", "updated_at"}
    assert user["id"].startswith("adm_")
    assert (user["email"], user["name"], user["role"]) == ("ada@example.com", "Ada", "developer")
    assert user["disabled"] is False
    assert user["created_at"].endswith("Z")
    assert (await log_in(client, "ada@example.com", NEW["password"])).json()["role"] == "developer"


async def test_an_email_is_taken_however_it_is_spelled(console: httpx.AsyncClient) -> None:
    assert (await console.post("/admin/api/users", json=NEW)).status_code == 201
    for email in ("ada@example.com", "ADA@EXAMPLE.COM\t"):
        answer = await console.post("/admin/api/users", json={**NEW, "email": email})
        assert_refused(answer, 409, "conflict", "email")


async def test_two_at_once_with_one_email_make_one_user(console: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(console.post("/admin/api/users", json=NEW) for _ in range(4)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 3}


async def test_passwords_are_counted_in_characters_and_kept_as_they_are(
    client: httpx.AsyncClient, console: httpx.AsyncClient
) -> None:
    longest = "\U0001f511" * 1024
    for number, password in enumerate((longest, " " * 12, "p\u00e4ssw\u00f6rt h\u00e4\u00e4")):
        email = f"user-{number}@example.com"
        answer = await console.post("/admin/api/users", json={**NEW, "email": email, "password": password})
        assert answer.status_code == 201, answer.text
        assert (await log_in(client, email, password)).status_code == 200
        assert_refused(await log_in(client, email, password[:-1]), 401, "unauthorized")


async def test_a_password_is_stored_as_argon2id(console: httpx.AsyncClient, pool: Pool) -> None:
    await console.post("/admin/api/users", json=NEW)
    stored = await pool.fetchval("SELECT password_hash FROM admin_users WHERE email = 'ada@example.com'")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert NEW["password"] not in str(await pool.fetch("SELECT * FROM admin_users"))


async def test_the_list_is_paged_newest_first(console: httpx.AsyncClient, grace: Admin, pool: Pool) -> None:
    made = [grace, *[await make_admin(pool, "viewer") for _ in range(4)]]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await console.get("/admin/api/users", params=params)).json()
        found += [user["id"] for user in page["items"]]
        cursor = page["next_cursor"]
    assert found == [admin.id for admin in made[::-1]]


async def test_a_change_changes_what_it_names(console: httpx.AsyncClient) -> None:
    user = (await console.post("/admin/api/users", json=NEW)).json()
    path = f"/admin/api/users/{user['id']}"
    renamed = (await console.patch(path, json={"name": "Countess", "role": None})).json()
    assert renamed["updated_at"] > user["updated_at"]
    assert renamed == {**user, "name": "Countess", "updated_at": renamed["updated_at"]}
    moved = (await console.patch(path, json={"role": "viewer", "disabled": True})).json()
    assert moved == {**renamed, "role": "viewer", "disabled": True, "updated_at": moved["updated_at"]}
    assert (await console.patch(path, json={})).status_code == 200


async def test_nobody_locks_themselves_out(console: httpx.AsyncClient, grace: Admin, pool: Pool) -> None:
    """Not even where another admin could let them in again; what does not lock out is fine."""
    await make_admin(pool)
    path = f"/admin/api/users/{grace.id}"
    assert_refused(await console.delete(path), 409, "conflict", "yourself")
    for change in ({"disabled": True}, {"role": "operator"}, {"role": "viewer", "name": "x"}):
        assert_refused(await console.patch(path, json=change), 409, "conflict", "yourself")
    assert (await console.patch(path, json={"role": "admin", "disabled": False})).status_code == 200
    assert (await console.patch(path, json={"name": "Admiral"})).json()["name"] == "Admiral"


async def test_admins_who_are_not_the_last_can_go(console: httpx.AsyncClient, pool: Pool) -> None:
    for change in ({"disabled": True}, {"role": "viewer"}):
        other = await make_admin(pool)
        assert (await console.patch(f"/admin/api/users/{other.id}", json=change)).status_code == 200
        assert (await console.delete(f"/admin/api/users/{other.id}")).status_code == 204
        assert_refused(await console.delete(f"/admin/api/users/{other.id}"), 404, "not_found")


@pytest.mark.parametrize("how", ["delete", "disable", "demote"])
async def test_of_two_admins_who_remove_each_other_exactly_one_wins(
    how: str, client: httpx.AsyncClient, pool: Pool
) -> None:
    """Held at the table's lock, so that both have been let in before either has written."""
    changes = {"disable": {"disabled": True}, "demote": {"role": "viewer"}}

    async def remove(one: Admin, other: Admin) -> int:
        path = f"/admin/api/users/{other.id}"
        if how == "delete":
            return (await client.delete(path, headers=one.headers)).status_code
        return (await client.patch(path, json=changes[how], headers=one.headers)).status_code

    async def waiting() -> int:
        return await pool.fetchval(
            "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
            " WHERE c.relname = 'admin_users' AND NOT l.granted"
        )

    one, other = await make_admin(pool), await make_admin(pool)
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("LOCK TABLE admin_users IN SHARE ROW EXCLUSIVE MODE")
        removals = [asyncio.create_task(remove(*pair)) for pair in ((one, other), (other, one))]
        await eventually(waiting, lambda count: count == 2, within_s=10)
    success = 204 if how == "delete" else 200
    refusal = 403 if how == "demote" else 401
    assert sorted(await asyncio.gather(*removals)) == [success, refusal]
    left = await pool.fetchval("SELECT count(*) FROM admin_users WHERE role = 'admin' AND NOT disabled")
    assert left == 1


async def test_ones_own_password_takes_the_current_one(
    client: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    for role in ("viewer", "admin"):
        admin = await make_admin(pool, role)
        path = f"/admin/api/users/{admin.id}/password"
        for current in ({}, {"current_password": "a wrong one"}):
            with subtests.test(role=role, current=current):
                body = {"password": "another good one", **current}
                answer = await client.post(path, json=body, headers=admin.headers)
                assert_refused(answer, 403, "forbidden", "current_password")
        body = {"password": "another good one", "current_password": PASSWORD}
        assert (await client.post(path, json=body, headers=admin.headers)).status_code == 204
        assert (await log_in(client, admin.email, "another good one")).status_code == 200


async def test_somebody_elses_password_takes_the_capability(client: httpx.AsyncClient, pool: Pool) -> None:
    viewer, other = await make_admin(pool, "viewer"), await make_admin(pool, "viewer")
    body = {"password": "another good one", "current_password": PASSWORD}
    path = f"/admin/api/users/{other.id}/password"
    assert_refused(await client.post(path, json=body, headers=viewer.headers), 403, "forbidden")
    assert (await log_in(client, other.email)).status_code == 200
