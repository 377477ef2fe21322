"""What ends or lowers an administrator acts at once, on requests that are under way too."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import httpx
import pytest

from app.api.services import Services
from app.db.pool import Pool
from app.services.acting import acting
from app.settings import Address
from tests.app.api.admin.people import PASSWORD, Admin, make_admin
from tests.app.api.admin.table import TABLE, filled, make_things
from tests.app.api.wire import Answer, assert_refused, begun, request
from tests.harness import eventually

WRITES: Final = [name for name, line in TABLE.items() if not name.startswith("GET") and not line.is_open]
STATE: Final = (
    *("admin_users", "admin_sessions", "audit_log", "environments", "api_keys", "dead_letters"),
    *("broadcasts", "broadcast_heads", "scheduled", "outbox"),
)


async def state(pool: Pool) -> Mapping[str, object]:
    """All that an administrator can change."""
    return {table: await pool.fetch(f"SELECT t::text FROM {table} t ORDER BY 1") for table in STATE}  # noqa: S608


class Slow:
    """Requests whose body ends only after something else has happened."""

    def __init__(self, address: Address, reading: asyncio.Event) -> None:
        self._address = address
        self._reading = reading

    async def ask(
        self, name: str, path: str, body: object, admin: Admin, meanwhile: AsyncGenerator[None]
    ) -> Answer:
        """meanwhile: run to its end once the session was found to be one."""
        whole = request(
            name.partition(" ")[0],
            path.encode(),
            {**admin.headers, "Content-Type": "application/json"},
            json.dumps(body or {}).encode(),
        )
        self._reading.clear()
        async with begun(self._address, whole[:-1]) as finish:
            await asyncio.wait_for(self._reading.wait(), 10)
            async for _ in meanwhile:
                pass
            return await finish(whole[-1:])


@pytest.fixture
def slow(address: Address, reading: asyncio.Event) -> Slow:
    return Slow(address, reading)


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "viewer"}], ids=["disabled", "demoted"])
async def test_no_write_by_somebody_who_was_disabled_or_demoted_meanwhile(
    name: str, change: Mapping[str, Any], slow: Slow, console: httpx.AsyncClient, pool: Pool
) -> None:
    line, things, admin = TABLE[name], await make_things(pool), await make_admin(pool)
    before: Mapping[str, object] = {}

    async def meanwhile() -> AsyncGenerator[None]:
        nonlocal before
        assert (await console.patch(f"/admin/api/users/{admin.id}", json=change)).status_code == 200
        before = await state(pool)
        yield

    answer = await slow.ask(name, filled(line.path, things), filled(line.body, things), admin, meanwhile())
    if "disabled" in change:
        assert_refused(answer, 401, "unauthorized")
    elif line.capability is not None:
        assert_refused(answer, 403, "forbidden", "viewer", line.capability)
    else:
        assert answer.status_code == line.status
        return
    assert await state(pool) == before


@pytest.mark.parametrize("how", ["deleted", "logged out", "given another password", "expired"])
async def test_no_write_after_the_session_has_ended(
    how: str, slow: Slow, client: httpx.AsyncClient, console: httpx.AsyncClient, pool: Pool
) -> None:
    admin = await make_admin(pool)

    async def meanwhile() -> AsyncGenerator[None]:
        path = f"/admin/api/users/{admin.id}"
        match how:
            case "deleted":
                await console.delete(path)
            case "logged out":
                await client.post("/admin/api/logout", headers=admin.headers)
            case "given another password":
                await console.post(path + "/password", json={"password": "another good one"})
            case _:
                await pool.execute("UPDATE admin_sessions SET expires_at = clock_timestamp()")
        assert (await client.get("/admin/api/me", headers=admin.headers)).status_code == 401
        yield

    body = {"slug": "new", "name": "New"}
    answer = await slow.ask("POST", "/admin/api/environments", body, admin, meanwhile())
    assert_refused(answer, 401, "unauthorized")
    assert await pool.fetchval("SELECT count(*) FROM environments") == 0


async def test_ones_own_password_takes_a_session_but_no_capability(
    slow: Slow, console: httpx.AsyncClient, pool: Pool
) -> None:
    body = {"password": "another good one", "current_password": PASSWORD}
    for change, status in (({"role": "viewer"}, 204), ({"disabled": True}, 401), (None, 401)):
        admin = await make_admin(pool)
        path = f"/admin/api/users/{admin.id}"

        async def meanwhile(path: str = path, change: object = change) -> AsyncGenerator[None]:
            done = await (console.delete(path) if change is None else console.patch(path, json=change))
            assert done.is_success
            yield

        answer = await slow.ask("POST", path + "/password", body, admin, meanwhile())
        assert answer.status_code == status


async def waiting(pool: Pool) -> int:
    """How many wait for the users' table."""
    return await pool.fetchval(
        "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
        " WHERE c.relname = 'admin_users' AND NOT l.granted"
    )


async def test_a_write_under_way_is_waited_for_and_no_later_one_overtakes_the_change(
    client: httpx.AsyncClient, console: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    admin = await make_admin(pool)
    identity = await services.admin_sessions.identity(admin.token)
    assert identity is not None
    async with acting(pool, identity):
        disabling = asyncio.create_task(
            console.patch(f"/admin/api/users/{admin.id}", json={"disabled": True})
        )
        await eventually(lambda: waiting(pool), lambda count: count == 1)
        body = {"slug": "new", "name": "New"}
        later = asyncio.create_task(client.post("/admin/api/environments", json=body, headers=admin.headers))
        await eventually(lambda: waiting(pool), lambda count: count == 2)
    assert (await disabling).status_code == 200
    assert_refused(await later, 401, "unauthorized")


async def test_a_user_write_that_waited_for_another_is_by_whoever_the_actor_is_by_then(
    client: httpx.AsyncClient, pool: Pool
) -> None:
    admin = await make_admin(pool)
    body = {"email": "door@example.com", "name": "Door", "role": "admin", "password": PASSWORD}
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("LOCK TABLE admin_users IN EXCLUSIVE MODE")
        opening = asyncio.create_task(client.post("/admin/api/users", json=body, headers=admin.headers))
        await eventually(lambda: waiting(pool), lambda count: count == 1, within_s=10)
        await holder.execute("UPDATE admin_users SET disabled = true WHERE id = $1", admin.user_id)
    assert_refused(await opening, 401, "unauthorized")
    assert await pool.fetchval("SELECT count(*) FROM admin_users") == 1


async def test_a_session_is_logged_out_once(client: httpx.AsyncClient, pool: Pool) -> None:
    admin = await make_admin(pool)
    answers = await asyncio.gather(
        *(client.post("/admin/api/logout", headers=admin.headers) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [204, *[401] * 7]
    assert await pool.fetchval("SELECT count(*) FROM audit_log") == 1
