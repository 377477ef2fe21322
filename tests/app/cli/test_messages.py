"""What the commands say when something is not as they need it, and of their own settings."""

import asyncio
import re
import socket
from pathlib import Path

import asyncpg
import httpx
import pytest
from click.testing import CliRunner, Result
from stack.ports import LOOPBACK, free_port
from stack.process import wait_until

from app import settings
from app.cli import main
from tests.app.cli.command import ROOT, Command
from tests.factories import Environment
from tests.harness import Process, Stack

SECRET = "hunter2"


def run(*arguments: str, **environ: str) -> Result:
    unset = {"DATABASE_URL": None, "REDIS_URL": None}
    return CliRunner().invoke(main, arguments, env={**unset, **environ})


@pytest.mark.parametrize(
    "command",
    [("env", "create", "acme"), ("key", "create", "--env", "acme"), ("migrate",), ("migrate", "--check")],
)
def test_an_unreachable_database_is_named_without_its_password(command: tuple[str, ...]) -> None:
    port = free_port()
    ended = run(*command, DATABASE_URL=f"postgresql://me:{SECRET}@{LOOPBACK}:{port}/x")
    assert ended.exit_code == 1
    assert ended.output == (
        f"Error: DATABASE_URL: PostgreSQL at {LOOPBACK}:{port} does not answer: Connection refused\n"
    )


@pytest.mark.parametrize(
    "command",
    [("env", "list"), ("env", "create", "acme"), ("key", "create", "--env", "acme"), ("dlq", "list")],
)
def test_a_database_without_the_schema_is_said_to_be_that(
    command: tuple[str, ...], database_url: str
) -> None:
    async def empty() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.close()

    asyncio.run(empty())
    ended = run(*command, DATABASE_URL=database_url)
    assert ended.exit_code == 1
    assert re.fullmatch(
        r"Error: DATABASE_URL: PostgreSQL at \S+: migrations are pending: run bellwire migrate\n",
        ended.output,
    )


def test_an_unreachable_database_ends_serve_in_one_line() -> None:
    url = f"postgresql://me:{SECRET}@{LOOPBACK}:{free_port()}/x"
    command = Command("serve", environ={"DATABASE_URL": url, "REDIS_URL": "redis://x"})
    assert command.ended() == 1
    assert re.fullmatch(r"Error: DATABASE_URL: PostgreSQL at \S+ does not answer: .*\n", command.said)
    assert SECRET not in command.said


def test_a_server_that_refuses_says_why(database_url: str) -> None:
    url = database_url.replace("postgres@", f"nobody_we_know:{SECRET}@").replace(
        "postgres:", "nobody_we_know:"
    )
    ended = run("env", "create", "acme", DATABASE_URL=url)
    assert ended.exit_code == 1
    assert re.fullmatch(r"Error: DATABASE_URL: PostgreSQL at \S+:\d+ refuses: .+\n", ended.output)
    assert SECRET not in ended.output


def test_an_unreadable_url_does_not_show_the_password() -> None:
    ended = run("migrate", DATABASE_URL=f"postgresql://me:{SECRET}/x@localhost/x")
    assert ended.exit_code == 1
    assert ended.output.startswith("Error: DATABASE_URL cannot be read")
    assert SECRET not in ended.output


def test_commands_of_the_database_need_no_redis(database_url: str) -> None:
    commands = [
        ("migrate",),
        ("migrate", "--check"),
        ("env", "create", "bell"),
        ("key", "create", "--env", "bell"),
        ("dlq", "list"),
        ("dlq", "replay", "--all"),
    ]
    for command in commands:
        ended = run(*command, DATABASE_URL=database_url)
        assert ended.exit_code == 0, ended.output
    assert run("worker", DATABASE_URL=database_url).output.startswith("Error: REDIS_URL is not set")


def test_a_worker_that_the_database_refuses_says_so(database_url: str, redis_url: str) -> None:
    ended = run("worker", DATABASE_URL=f"{database_url}_elsewhere", REDIS_URL=redis_url)
    assert ended.exit_code == 1
    assert re.fullmatch(r"Error: DATABASE_URL: PostgreSQL at \S+ refuses: .*_elsewhere.*\n", ended.output)


def test_a_bad_slug_names_its_variable(database_url: str, redis_url: str) -> None:
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "BELLWIRE_DEV_ENVIRONMENT": "no good",
    }
    command = Command("serve", environ=environ)
    assert command.ended() == 1
    assert command.lines[-1].startswith("Error: BELLWIRE_DEV_ENVIRONMENT: slug must be")


async def test_tail_says_once_why_it_was_refused(stack: Stack) -> None:
    command = ("tail", "--url", stack.socket_url, "--env", "nowhere", "--subscriber", "ada")
    ended = Command(*command, environ={})
    assert ended.ended() == 1
    assert len(ended.lines) == 1
    assert re.fullmatch(r"Error: closed by the gateway: 4\d\d\d .+\n", ended.said)


async def test_tail_without_a_proof_says_how_to_give_one(stack: Stack, environment: Environment) -> None:
    command = ("tail", "--url", stack.socket_url, "--env", environment.slug, "--subscriber", "ada")
    ended = Command(*command, environ={})
    assert ended.ended() == 1
    assert ended.said.endswith("; --hash or --secret gives a proof\n")
    ended = Command(*command, "--secret", "bws_another", environ={})
    assert ended.ended() == 1
    assert "closed by the gateway: 4501" in ended.said
    assert "--secret" not in ended.said


async def test_tail_follows_a_gateway_that_restarts(stack: Stack, environment: Environment) -> None:
    environ = {**stack.environ, "BELLWIRE_GATEWAY_LISTEN": stack.gateway.address or ""}
    who = ("--env", environment.slug, "--subscriber", "ada")
    secret = {"BELLWIRE_ENVIRONMENT_SECRET": environment.secret}
    command = Command("tail", "--url", stack.socket_url, *who, environ=secret)
    try:
        await asyncio.to_thread(command.wait_for, '"ready"')
        await stack.gateway.stop()
        async with Process.open("gateway", environ):
            await asyncio.to_thread(command.wait_for, "back in")
            assert await asyncio.to_thread(
                wait_until, lambda: command.said.count('"ready"') == 2, timeout_s=10
            )
    finally:
        command.process.terminate()
        await asyncio.to_thread(command.ended)


@pytest.mark.parametrize(
    ("role", "variable"), [("api", "BELLWIRE_LISTEN"), ("gateway", "BELLWIRE_GATEWAY_LISTEN")]
)
def test_a_port_in_use_is_named(role: str, variable: str, database_url: str, redis_url: str) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        address = f"{LOOPBACK}:{taken.getsockname()[1]}"
        environ = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, variable: address}
        command = Command(role, environ=environ)
        assert command.ended() == 1
    assert command.lines[-1] == f"Error: {variable}={address}: Address already in use\n"


def test_a_worker_serves_its_metrics_where_it_is_told(database_url: str, redis_url: str) -> None:
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "BELLWIRE_METRICS_LISTEN": f"{LOOPBACK}:0",
    }
    command = Command("worker", environ=environ)
    try:
        address = re.search(r'"(127\.0\.0\.1:[1-9]\d*)"', command.wait_for('"metrics"'))
        assert address
        shown = httpx.get(f"http://{address[1]}/metrics", trust_env=False).text
        assert "bellwire_jobs_total" in shown
        taken = Command("worker", environ={**environ, "BELLWIRE_METRICS_LISTEN": address[1]})
        assert taken.ended() == 1
        assert taken.said == f"Error: BELLWIRE_METRICS_LISTEN={address[1]}: Address already in use\n"
    finally:
        command.process.terminate()
        assert command.ended() == 0


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ("send", ["BELLWIRE_URL", "BELLWIRE_API_KEY"]),
        ("import", ["BELLWIRE_URL", "BELLWIRE_API_KEY"]),
        ("tail", ["BELLWIRE_GATEWAY_URL", "BELLWIRE_SUBSCRIBER_HASH", "BELLWIRE_ENVIRONMENT_SECRET"]),
    ],
)
def test_help_names_the_variables_of_an_option(command: str, variables: list[str]) -> None:
    shown = run(command, "--help").output
    assert all(variable in shown for variable in variables)


@pytest.mark.parametrize(
    ("role", "named", "silent"),
    [
        ("serve", settings.describe("serve"), []),
        ("api", ["BELLWIRE_LISTEN", "BELLWIRE_API_KEY_RATE"], ["BELLWIRE_RETENTION_MONTHS"]),
        ("gateway", ["BELLWIRE_GATEWAY_LISTEN", "BELLWIRE_MAX_CONNECTIONS"], ["BELLWIRE_API_KEY_RATE"]),
        ("worker", ["BELLWIRE_RETENTION_MONTHS", "DATABASE_URL"], ["BELLWIRE_ALLOWED_ORIGINS"]),
    ],
)
def test_help_lists_the_variables_that_matter(
    role: str, named: list[str | settings.Described], silent: list[str]
) -> None:
    """Serve has them all, each with its default."""
    shown = " ".join(run(role, "--help").output.split())
    for one in named:
        if isinstance(one, str):
            assert one in shown
        else:
            assert f"{one.name} {one.about}" in shown
            assert not one.default or f"{one.about} [default: {one.default}]" in shown
    assert not [name for name in silent if name in shown]
    assert "DATABASE_URL PostgreSQL 15 or later [required]" in shown
    assert "BELLWIRE_LOG_LEVEL debug, info, warning or error [default: info]" in shown


def test_the_operations_document_has_every_variable_with_its_default() -> None:
    document = (Path(ROOT) / "docs" / "operations.md").read_text()
    documented: dict[str, str] = {}
    for names, defaults in re.findall(r"^\| (`[A-Z_`, ]+`) \| ([^|]+) \|", document, re.MULTILINE):
        given = defaults.split(", ")
        for at, name in enumerate(names.split(", ")):
            documented[name.strip("`")] = given[min(at, len(given) - 1)].strip("`")
    spelled = {None: "required", "": "unset"}
    known = {it.name: spelled.get(it.default, it.default) for it in settings.describe("serve")}
    assert documented == known
