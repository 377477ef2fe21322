"""What a boot plants: the administrator of the settings, who can always get in."""

import asyncio

import argon2
import pytest

from app.contract.errors import InvalidRequest
from app.db.pool import Pool
from app.services import seeds
from app.settings import Settings

EMAIL = "grace@example.com"
PASSWORD = "the one of the settings"


def settings(database_url: str, email: str = EMAIL, password: str = PASSWORD) -> Settings:
    return Settings(
        database_url=database_url, redis_url="redis://not-asked", admin_email=email, admin_password=password
    )


async def stored(pool: Pool) -> dict[str, object]:
    (row,) = await pool.fetch("SELECT * FROM admin_users")
    return dict(row)


async def actions(pool: Pool) -> list[str]:
    rows = await pool.fetch("SELECT action FROM audit_log WHERE actor_id IS NULL ORDER BY id")
    return [row[0] for row in rows]


async def test_replicas_that_boot_at_once_make_one_admin(pool: Pool, database_url: str) -> None:
    await asyncio.gather(*(seeds.plant_admin(settings(database_url, " Grace@Example.com")) for _ in range(4)))
    user = await stored(pool)
    assert (user["email"], user["role"], user["disabled"]) == (EMAIL, "admin", False)
    assert argon2.PasswordHasher().verify(str(user["password_hash"]), PASSWORD)
    assert await actions(pool) == ["user.create"]


@pytest.mark.parametrize(
    "lock_out",
    [
        "UPDATE admin_users SET role = 'viewer'",
        "UPDATE admin_users SET disabled = true",
        (
            "UPDATE admin_users SET password_hash = '$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'"
        ),
    ],
)
async def test_whoever_was_locked_out_is_let_in_again(pool: Pool, database_url: str, lock_out: str) -> None:
    await seeds.plant_admin(settings(database_url))
    await pool.execute("UPDATE admin_users SET name = 'Grace'")
    await pool.execute(lock_out)
    await pool.execute(
        "INSERT INTO admin_sessions SELECT 'x', id, now(), now() + interval '8 hours' FROM admin_users"
    )
    await seeds.plant_admin(settings(database_url))
    user = await stored(pool)
    assert (user["name"], user["role"], user["disabled"]) == ("Grace", "admin", False)
    assert argon2.PasswordHasher().verify(str(user["password_hash"]), PASSWORD)
    assert await pool.fetchval("SELECT count(*) FROM admin_sessions") == 0
    assert await actions(pool) == ["user.create", "user.update"]


async def test_a_boot_that_finds_all_in_order_changes_nothing(pool: Pool, database_url: str) -> None:
    """Nobody is logged out because a replica started."""
    await seeds.plant_admin(settings(database_url))
    await pool.execute(
        "INSERT INTO admin_sessions SELECT 'x', id, now(), now() + interval '8 hours' FROM admin_users"
    )
    before = await stored(pool)
    await seeds.plant_admin(settings(database_url))
    assert await stored(pool) == before
    assert await pool.fetchval("SELECT count(*) FROM admin_sessions") == 1
    assert await actions(pool) == ["user.create"]


@pytest.mark.parametrize(
    ("email", "password", "variable"),
    [
        ("nobody", PASSWORD, "BELLWIRE_ADMIN_EMAIL"),
        ("x@" + "x" * 254, PASSWORD, "BELLWIRE_ADMIN_EMAIL"),
        (EMAIL, "too short", "BELLWIRE_ADMIN_PASSWORD"),
        (EMAIL, "x" * 1025, "BELLWIRE_ADMIN_PASSWORD"),
    ],
)
async def test_what_cannot_be_used_is_named(
    pool: Pool, database_url: str, email: str, password: str, variable: str
) -> None:
    with pytest.raises(InvalidRequest, match=variable) as error:
        await seeds.plant_admin(settings(database_url, email, password))
    assert password not in str(error.value)
    assert await pool.fetchval("SELECT count(*) FROM admin_users") == 0
