"""Guessing passwords: nothing is told by the answer or its cost, and it is soon over."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator

import httpx
import msgspec
import pytest

from app import telemetry
from app.api import main, server
from app.db import admin_sessions, retention
from app.db.pool import Pool
from app.security import passwords
from app.security.passwords import Passwords
from app.settings import Settings
from tests.app.api.admin.people import PASSWORD, Admin, log_in, make_admin
from tests.app.api.wire import assert_refused

WRONG = "not the right one"


def checked() -> tuple[float, float]:
    """How many passwords this process has checked, and the seconds that took."""
    (metric,) = telemetry.password_check.collect()
    samples = {sample.name.rpartition("_")[2]: sample.value for sample in metric.samples}
    return samples["count"], samples["sum"]


@pytest.fixture
async def proxied(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """Behind a proxy: X-Forwarded-For says where a request comes from."""
    async with main.wire(msgspec.structs.replace(settings, tls_terminated=True)) as services:
        listener = server.listen(settings.listen)
        async with (
            server.serve(main.create_app(services), listener, patience_s=1) as bound,
            httpx.AsyncClient(base_url=f"http://{bound}", timeout=30, trust_env=False) as client,
        ):
            yield client


async def fail(pool: Pool, times: int, *, email: str, address: str = "192.0.2.9") -> None:
    """Log-ins that came to nothing, without the cost of checking their passwords."""
    async with pool.acquire() as connection:
        for _ in range(times):
            assert await admin_sessions.settle_login(connection, email, address, failed=True) == 0


async def age(pool: Pool, minutes: int) -> None:
    """Makes every failure so much older."""
    await pool.execute(
        "UPDATE login_failures SET attempt = position_at(position_us(attempt) - $1 * 60 * 1000000::bigint)",
        minutes,
    )


async def test_unknown_disabled_and_wrong_are_one_answer_at_one_cost(
    client: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    """A real check of a password is made each time; the fastest of several is what it costs."""
    disabled = await make_admin(pool)
    await pool.execute("UPDATE admin_users SET disabled = true WHERE id = $1", disabled.user_id)
    answers: set[bytes] = set()
    costs: dict[str, list[float]] = {}
    for number in range(5):
        for email, password in (
            (grace.email, WRONG),
            ("nobody@example.com", PASSWORD),
            (disabled.email, PASSWORD),
        ):
            count, seconds = checked()
            answer = await log_in(client, email, password)
            assert_refused(answer, 401, "unauthorized")
            assert "set-cookie" not in answer.headers
            answers.add(answer.content)
            new_count, new_seconds = checked()
            assert new_count == count + 1, (number, email)
            costs.setdefault(email, []).append(new_seconds - seconds)
    assert len(answers) == 1
    fastest = [min(of_email) for of_email in costs.values()]
    assert max(fastest) < 2 * min(fastest), costs


async def test_after_ten_failures_an_email_has_to_wait(
    client: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    """Known or not; the right password too; and a refusal is no failure, nor costs a check."""
    for _ in range(10):
        assert_refused(await log_in(client, grace.email, WRONG), 401, "unauthorized")
    await fail(pool, 10, email="nobody@example.com")
    before, failures = checked(), await pool.fetchval("SELECT count(*) FROM login_failures")
    for email in (grace.email, grace.email.upper(), "nobody@example.com"):
        answer = await log_in(client, email)
        assert_refused(answer, 429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 900
    assert checked() == before
    assert await pool.fetchval("SELECT count(*) FROM login_failures") == failures


async def test_the_wait_ends_when_the_first_failure_is_a_quarter_of_an_hour_old(
    client: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    await fail(pool, 1, email=grace.email)
    await age(pool, 10)
    await fail(pool, 9, email=grace.email)
    answer = await log_in(client, grace.email)
    assert_refused(answer, 429, "rate_limited")
    assert 240 <= int(answer.headers["retry-after"]) <= 300
    await age(pool, 5)
    assert_refused(await log_in(client, grace.email, WRONG), 401, "unauthorized")
    assert_refused(await log_in(client, grace.email), 429, "rate_limited")


async def test_a_success_clears_the_emails_failures(
    client: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    for _ in range(3):
        await fail(pool, 9, email=grace.email)
        assert (await log_in(client, grace.email)).status_code == 200
    assert await pool.fetchval("SELECT count(*) FROM login_failures WHERE kind = 'email'") == 0


async def test_after_thirty_failures_an_address_has_to_wait_and_no_other(
    proxied: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    """Whatever the emails, and whatever succeeded in between; the proxy's word counts, not the client's."""
    attacker = {"X-Forwarded-For": "10.0.0.1, 198.51.100.7"}
    for number in range(28):
        await fail(pool, 1, email=f"nobody-{number}@example.com", address="198.51.100.7")
    for _ in range(2):
        assert (await log_in(proxied, grace.email, **attacker)).status_code == 200
        assert_refused(await log_in(proxied, grace.email, WRONG, **attacker), 401, "unauthorized")
    assert_refused(await log_in(proxied, grace.email, **attacker), 429, "rate_limited")
    forged = {"X-Forwarded-For": "203.0.113.5, 198.51.100.7"}
    assert_refused(await log_in(proxied, grace.email, **forged), 429, "rate_limited")
    other = {"X-Forwarded-For": "198.51.100.7, 203.0.113.5"}
    assert (await log_in(proxied, grace.email, **other)).status_code == 200


async def test_a_network_of_ipv6_is_one_address_and_a_port_is_no_part_of_it(
    proxied: httpx.AsyncClient, pool: Pool
) -> None:
    addresses = (
        *("2001:db8:1:2::1", "2001:db8:1:2:ffff::", "[2001:db8:1:2::1]:443", "[2001:db8:1:2::2]"),
        *("2001:db8:1:3::1", "::ffff:192.0.2.1", "192.0.2.1:567", "[::ffff:192.0.2.1]:1"),
        *("junk", "junk:1", "[junk", ":"),
    )
    for number, address in enumerate(addresses):
        await log_in(proxied, f"nobody-{number}@example.com", WRONG, **{"X-Forwarded-For": address})
    found = await pool.fetch("SELECT subject, count(*) FROM login_failures WHERE kind = 'address' GROUP BY 1")
    assert {row[0]: row[1] for row in found} == {
        "2001:db8:1:2::/64": 4,
        "2001:db8:1:3::/64": 1,
        "192.0.2.1": 3,
        "unknown": 4,
    }


async def test_no_number_of_guesses_at_once_passes_the_limit_together(
    client: httpx.AsyncClient, grace: Admin
) -> None:
    answers = await asyncio.gather(*(log_in(client, grace.email, WRONG) for _ in range(25)))
    assert Counter(answer.status_code for answer in answers) == {401: 10, 429: 15}


async def test_log_ins_at_once_that_succeed_are_all_let_in(client: httpx.AsyncClient, grace: Admin) -> None:
    answers = await asyncio.gather(*(log_in(client, grace.email) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 20}


async def test_more_people_than_an_address_may_fail_log_in_from_it_at_once(
    client: httpx.AsyncClient, pool: Pool
) -> None:
    people = [await make_admin(pool, "viewer") for _ in range(35)]
    answers = await asyncio.gather(*(log_in(client, person.email) for person in people))
    assert Counter(answer.status_code for answer in answers) == {200: 35}


async def test_what_came_to_no_answer_is_no_failure(
    client: httpx.AsyncClient, grace: Admin, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crowded:
        crowded.setattr(passwords, "MOST_WAITING", 0)
        for _ in range(11):
            assert_refused(await log_in(client, grace.email), 503, "unavailable")
    assert await pool.fetchval("SELECT count(*) FROM login_failures") == 0
    assert (await log_in(client, grace.email)).status_code == 200


async def test_a_guess_is_judged_by_what_failed_while_it_was_checked(
    client: httpx.AsyncClient, grace: Admin, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right or wrong, it is refused alike, and is no failure."""
    matches = Passwords.matches

    async def overtaken(self: Passwords, password: str, stored: str | None) -> bool:
        if await pool.fetchval("SELECT count(*) FROM login_failures") == 0:
            await fail(pool, 10, email=grace.email)
        return await matches(self, password, stored)

    monkeypatch.setattr(Passwords, "matches", overtaken)
    bodies: set[bytes] = set()
    for password in (PASSWORD, WRONG):
        await pool.execute("DELETE FROM login_failures")
        answer = await log_in(client, grace.email, password)
        assert_refused(answer, 429, "rate_limited")
        assert "set-cookie" not in answer.headers
        bodies.add(answer.content)
        assert await pool.fetchval("SELECT count(*) FROM login_failures WHERE kind = 'email'") == 10
    assert len(bodies) == 1
    assert await pool.fetchval("SELECT count(*) FROM admin_sessions") == 1, "grace's own"


async def test_without_the_header_or_with_another_shape_nothing_is_counted(
    client: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    body = {"email": grace.email, "password": WRONG}
    assert (await client.post("/admin/api/login", json=body)).status_code == 403
    assert (await log_in(client, grace.email, "x" * 1025)).status_code == 400
    assert await pool.fetchval("SELECT count(*) FROM login_failures") == 0


async def test_what_is_over_is_removed_in_batches(
    client: httpx.AsyncClient, grace: Admin, pool: Pool
) -> None:
    """Ended sessions, and failures that no longer count; what still matters stays."""
    for _ in range(3):
        await log_in(client, grace.email)
    await pool.execute(
        "UPDATE admin_sessions SET expires_at = clock_timestamp()"
        " WHERE ctid IN (SELECT ctid FROM admin_sessions LIMIT 3)"
    )
    for email in ("one@example.com", "two@example.com", "three@example.com"):
        await log_in(client, email, WRONG)
    await age(pool, 16)
    await log_in(client, "four@example.com", WRONG)
    async with pool.acquire() as connection:
        assert [await retention.forget_sessions(connection, 2) for _ in range(3)] == [2, 1, 0]
        assert [await retention.forget_login_failures(connection, 4) for _ in range(3)] == [4, 2, 0]
    assert await pool.fetchval("SELECT count(*) FROM admin_sessions") == 1
    left = await pool.fetch("SELECT subject FROM login_failures WHERE kind = 'email'")
    assert [row[0] for row in left] == ["four@example.com"]
