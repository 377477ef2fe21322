"""What a boot plants: the administrator, who can always get in, and an environment to develop with."""

import asyncio

import argon2
import pytest
import structlog
from structlog.testing import capture_logs

from app.contract.errors import InvalidRequest
from app.db.pool import Pool
from app.services import seeds
from app.services.environments import Environments
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


DEVELOPMENT = "anybody may read this environment: for development only"
PROOF = "BELLWIRE_DEV_ENVIRONMENT requires proof, and is left as it is"
NO_KEY = "BELLWIRE_DEV_API_KEY is no key of this environment, and is not added"


async def plant(
    database_url: str, slug: str = "demo", key: str | None = "bw_dev_key", *, replicas: int = 1
) -> list[str]:
    """What they warn of."""
    settings = Settings(
        database_url=database_url, redis_url="redis://not-asked", dev_environment=slug, dev_api_key=key
    )
    # A logger that was used by a command of this process keeps that command's settings.
    with capture_logs() as logs, pytest.MonkeyPatch.context() as patched:
        patched.setattr(seeds, "log", structlog.stdlib.get_logger())
        await asyncio.gather(*(seeds.plant_environment(settings) for _ in range(replicas)))
    return [entry["event"] for entry in logs if entry["log_level"] == "warning"]


async def planted(pool: Pool) -> list[tuple[str, bool, str | None]]:
    """Environments, whether proof is required, and the names of their keys."""
    rows = await pool.fetch(
        "SELECT e.slug, e.require_subscriber_hash, k.name FROM environments e"
        " LEFT JOIN api_keys k ON k.environment_id = e.id ORDER BY e.slug, k.id"
    )
    return [tuple(row) for row in rows]


async def test_boots_at_once_and_again_plant_one_environment_with_its_key(
    pool: Pool, database_url: str
) -> None:
    assert await plant(database_url, replicas=4) == [DEVELOPMENT] * 4
    assert await plant(database_url) == [DEVELOPMENT]
    assert await planted(pool) == [("demo", False, "development")]
    assert await actions(pool) == ["environment.create", "api_key.create"]


@pytest.mark.parametrize(("requires", "warnings"), [(True, [PROOF, NO_KEY]), (False, [DEVELOPMENT, NO_KEY])])
async def test_an_environment_that_is_there_is_not_changed(
    pool: Pool,
    database_url: str,
    requires: bool,  # noqa: FBT001 - pytest's
    warnings: list[str],
) -> None:
    """Nor is it said of one that requires proof that anybody may read it."""
    await Environments(pool).create(None, slug="live", name="Live", require_subscriber_hash=requires)
    assert await plant(database_url, "live") == warnings
    assert await planted(pool) == [("live", requires, None)]


async def test_the_key_of_another_environment_stays_what_it_is(pool: Pool, database_url: str) -> None:
    await plant(database_url)
    assert await plant(database_url, "other") == [DEVELOPMENT, NO_KEY]
    assert await planted(pool) == [("demo", False, "development"), ("other", False, None)]
    assert await plant(database_url, "third", key=None) == [DEVELOPMENT]
