"""Every write by an administrator is on record, in the transaction that did it, and says nothing secret."""

import httpx
import pytest

from app.db.pool import Pool
from tests.app.api.admin.people import PASSWORD, Admin, make_admin
from tests.app.api.admin.table import SECRET_PASSWORD, SECRET_PAYLOAD, TABLE, filled, make_things
from tests.app.api.admin.test_access import ask
from tests.app.api.wire import assert_refused


async def entries(console: httpx.AsyncClient) -> list[dict[str, object]]:
    answer = await console.get("/admin/api/audit", params={"limit": 200})
    assert answer.status_code == 200
    return answer.json()["items"]


async def test_every_write_leaves_one_entry_and_no_read_does(
    client: httpx.AsyncClient, console: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    for name, line in TABLE.items():
        with subtests.test(route=name):
            things, admin = await make_things(pool), await make_admin(pool)
            before = await entries(console)
            answer = await ask(client, name, filled(line.path, things), filled(line.body, things), admin)
            assert answer.status_code == line.status, answer.text
            new = [entry for entry in await entries(console) if entry not in before]
            assert [entry["action"] for entry in new] == ([] if line.action is None else [line.action])
            assert (line.action is None) == name.startswith("GET")
            for entry in new:
                who = (things["user"], things["user_email"]) if line.is_open else (admin.id, admin.email)
                assert entry["actor"] == {"id": who[0], "email": who[1]}
                assert str(entry["id"]).startswith("aud_")


async def test_nothing_refused_leaves_an_entry(
    client: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    things, viewer, admin = await make_things(pool), await make_admin(pool, "viewer"), await make_admin(pool)
    for name, line in TABLE.items():
        with subtests.test(route=name):
            if line.capability not in (None, "read"):
                answer = await ask(client, name, filled(line.path, things), filled(line.body, things), viewer)
                assert_refused(answer, 403, "forbidden")
            for path in line.missing:
                assert (await ask(client, name, path, filled(line.body, things), admin)).status_code == 404
            assert await pool.fetchval("SELECT count(*) FROM audit_log") == 0


async def test_no_entry_and_no_line_of_the_log_holds_a_secret(
    client: httpx.AsyncClient, pool: Pool, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    admin = await make_admin(pool)
    for name, line in TABLE.items():
        things = await make_things(pool)
        body = filled(line.body, things)
        actor = await make_admin(pool) if line.action == "session.logout" else admin
        assert (await ask(client, name, filled(line.path, things), body, actor)).is_success
    found = str(await pool.fetch("SELECT * FROM audit_log"))
    said = caplog.text + "".join(capfd.readouterr())
    for secret in (PASSWORD, SECRET_PASSWORD, SECRET_PAYLOAD, admin.token, "argon2", "bws_", "bw_"):
        assert secret not in found
        assert secret not in said


async def test_a_write_that_cannot_be_recorded_does_not_happen(
    console: httpx.AsyncClient, pool: Pool
) -> None:
    things = await make_things(pool)
    await pool.execute("ALTER TABLE audit_log ADD CHECK (action NOT LIKE 'user.%')")
    answer = await console.delete(f"/admin/api/users/{things['user']}")
    assert answer.status_code == 500
    assert await pool.fetchval("SELECT count(*) FROM admin_users WHERE email = $1", things["user_email"]) == 1


async def test_the_audit_is_paged_newest_first_and_outlives_its_people(
    console: httpx.AsyncClient, grace: Admin, client: httpx.AsyncClient, pool: Pool
) -> None:
    other = await make_admin(pool)
    created: list[str] = []
    async with other.client(client.base_url) as others_console:
        for number in range(5):
            name = {"name": f"number {number}"}
            assert (await others_console.patch(f"/admin/api/users/{grace.id}", json=name)).status_code == 200
            created.append(name["name"])
    assert (await console.delete(f"/admin/api/users/{other.id}")).status_code == 204
    found: list[dict[str, object]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await console.get("/admin/api/audit", params=params)).json()
        assert 1 <= len(page["items"]) <= 2
        found += page["items"]
        cursor = page["next_cursor"]
    assert [entry["action"] for entry in found] == ["user.delete", *["user.update"] * 5]
    assert [entry["details"]["name"] for entry in found[1:]] == created[::-1]  # pyright: ignore[reportIndexIssue]
    assert found[0]["target"] == other.id
    assert found[0]["environment_slug"] is None
    for entry in found[1:]:
        assert entry["actor"] == {"id": other.id, "email": other.email}
        assert entry["target"] == grace.id
        assert set(entry) == {
            *("id", "occurred_at", "actor", "action", "target", "environment_slug", "details")
        }
    times = [entry["occurred_at"] for entry in found]
    assert times == sorted(times, key=str, reverse=True)
