"""bellwire env, key, admin: what there is, in columns, and taking it back."""

import asyncio
import re

import asyncpg
from click.testing import CliRunner, Result

from app.cli.group import main

PASSWORD, ANOTHER = "correct horse battery", "staple of horses"


def run(database_url: str, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(
        main, arguments, input=typed, env={"DATABASE_URL": database_url, "REDIS_URL": None}
    )


def rows(shown: Result) -> list[list[str]]:
    """The columns of each line, headings first."""
    assert shown.exit_code == 0, shown.output
    return [re.split(r" {2,}", line) for line in shown.output.splitlines()]


def fetch(database_url: str, statement: str) -> list[asyncpg.Record]:
    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database_url)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_environments_are_listed(database_url: str) -> None:
    assert rows(run(database_url, "env", "list")) == [["SLUG", "ID", "PROOF", "CREATED", "NAME"]]
    run(database_url, "env", "create", "acme", "--name", "Acme, the company")
    run(database_url, "env", "create", "lab", "--open")
    _, newest, oldest = rows(run(database_url, "env", "list"))
    assert (newest[0], newest[2], newest[4]) == ("lab", "open", "lab")
    assert (oldest[0], oldest[2], oldest[4]) == ("acme", "required", "Acme, the company")
    assert oldest[1].startswith("env_")


def test_a_key_is_listed_and_revoked_by_its_id(database_url: str) -> None:
    """The audit has it, by nobody who has an account."""
    run(database_url, "env", "create", "acme")
    plaintext = run(database_url, "key", "create", "--env", "acme", "--name", "backend").output.strip()
    _, listed = rows(run(database_url, "key", "list", "--env", "acme"))
    key_id, shown, _, last_used, revoked, name = listed
    assert (shown, last_used, revoked, name) == (f"{plaintext[:10]}…", "-", "-", "backend")
    for _ in range(2):  # again is fine
        assert run(database_url, "key", "revoke", key_id).output == f"{key_id} is revoked\n"
    assert rows(run(database_url, "key", "list", "--env", "acme"))[1][4] != "-"
    entries = fetch(database_url, "SELECT actor_id, target FROM audit_log WHERE action = 'api_key.revoke'")
    assert [tuple(entry) for entry in entries] == [(None, key_id)]

    for unknown in ("key_01h455vb4pex5vsknk084sn02q", "nonsense"):
        refused = run(database_url, "key", "revoke", unknown)
        assert (refused.exit_code, refused.output) == (1, f"Error: no key {unknown}\n")
    assert run(database_url, "key", "list", "--env", "nowhere").output == "Error: no such environment\n"


def test_an_administrator_is_listed_and_gets_a_new_password(database_url: str) -> None:
    """However the email is spelled; the sessions end."""
    run(database_url, "admin", "create-user", "ada@example.com", "--role", "viewer", typed=PASSWORD)
    _, listed = rows(run(database_url, "admin", "list"))
    assert (listed[0], listed[2], listed[3], listed[5]) == (
        "ada@example.com",
        "viewer",
        "enabled",
        "ada@example.com",
    )
    [before] = fetch(database_url, "SELECT password_hash FROM admin_users")
    changed = run(database_url, "admin", "set-password", " Ada@example.com", typed=ANOTHER)
    assert changed.output == "ada@example.com has a new password\n"
    [after] = fetch(database_url, "SELECT password_hash FROM admin_users")
    assert after != before
    [entry] = fetch(database_url, "SELECT actor_id FROM audit_log WHERE action = 'user.set_password'")
    assert entry["actor_id"] is None

    nobody = run(database_url, "admin", "set-password", "bob@example.com", typed=ANOTHER)
    assert (nobody.exit_code, nobody.output) == (1, "Error: no administrator bob@example.com\n")
    short = run(database_url, "admin", "set-password", "ada@example.com", typed="short")
    assert (short.exit_code, short.output) == (1, "Error: password must be 12 to 1024 characters\n")
