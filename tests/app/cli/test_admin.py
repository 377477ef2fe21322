"""bellwire admin: the first administrator, from a terminal."""

import asyncio

import argon2
import asyncpg
import pytest
from click.testing import CliRunner, Result

from app.cli.group import main
from app.contract import ids

PASSWORD = "correct horse battery"


def create_user(database_url: str, *arguments: str, typed: str = "", **environ: str) -> Result:
    """typed: what comes in by the standard input."""
    return CliRunner().invoke(
        main,
        ["admin", "create-user", *arguments],
        input=typed,
        env={"DATABASE_URL": database_url, "REDIS_URL": None, **environ},
    )


def users(database_url: str) -> list[asyncpg.Record]:
    async def fetch() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database_url)
        try:
            return await connection.fetch("SELECT * FROM admin_users ORDER BY id")
        finally:
            await connection.close()

    return asyncio.run(fetch())


@pytest.mark.parametrize(
    ("typed", "environ"),
    [
        (f"{PASSWORD}\n", {}),
        (PASSWORD, {}),
        (f"{PASSWORD}\r\nmore\n", {}),
        ("another one\n", {"BELLWIRE_USER_PASSWORD": PASSWORD}),
    ],
)
def test_the_password_comes_in_by_the_environment_or_a_line(
    database_url: str, typed: str, environ: dict[str, str]
) -> None:
    ended = create_user(database_url, "Grace@example.com", "--name", "Grace", typed=typed, **environ)
    assert ended.exit_code == 0, ended.output
    (user,) = users(database_url)
    assert ended.output == ids.encode("adm", user["id"]) + "\n"
    assert (user["email"], user["name"], user["role"]) == ("grace@example.com", "Grace", "admin")
    assert argon2.PasswordHasher().verify(user["password_hash"], PASSWORD)


def test_a_further_one_may_do_less(database_url: str) -> None:
    ended = create_user(database_url, "ada@example.com", "--role", "viewer", typed=PASSWORD)
    assert ended.exit_code == 0, ended.output
    (user,) = users(database_url)
    assert (user["name"], user["role"]) == ("ada@example.com", "viewer")


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (["nobody"], PASSWORD, "Error: email must be"),
        (["ada@example.com"], "too short", "Error: password must be 12 to 1024 characters"),
        (["ada@example.com"], "", "Error: password must be 12 to 1024 characters"),
        (["ada@example.com", "--role", "owner"], PASSWORD, "Invalid value for '--role'"),
        (["ada@example.com", "--password", PASSWORD], "", "No such option"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    database_url: str, arguments: list[str], typed: str, said: str
) -> None:
    ended = create_user(database_url, *arguments, typed=typed)
    assert ended.exit_code != 0
    assert said in ended.output
    assert "Traceback" not in ended.output
    assert users(database_url) == []


def test_an_email_that_is_taken_is_said(database_url: str) -> None:
    assert create_user(database_url, "ada@example.com", typed=PASSWORD).exit_code == 0
    ended = create_user(database_url, "ADA@example.com", typed=PASSWORD)
    assert ended.exit_code == 1
    assert ended.output == "Error: email is taken\n"
