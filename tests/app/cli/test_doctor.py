"""bellwire doctor: each fault is found at its hop, with what to change."""

import re
from collections.abc import Callable, Mapping

import pytest
from stack.ports import LOOPBACK, free_port

from app.db.pool import Connection
from tests.app.cli.command import Command
from tests.factories import Environment
from tests.harness import Stack

HOPS = [
    "PostgreSQL",
    "migrations",
    "Redis",
    "pub/sub",
    "API",
    "gateway",
    "websocket",
    "worker",
    "dead letters",
]


class Report:
    """What it said: of each hop the verdict and the words, cures included."""

    def __init__(self, command: Command) -> None:
        self.code = command.ended()
        self.text = command.said
        found = re.findall(
            r"^(ok|warn|FAIL|-) +(\S+(?: \S+)*)  +(.*(?:\n {20}.*)?)$", self.text, re.MULTILINE
        )
        self.verdicts = {name: verdict for verdict, name, _ in found}
        self.words = {name: words for _, name, words in found}

    def assert_fails_at(self, *hops: str) -> None:
        assert list(self.verdicts) == HOPS, self.text
        assert [hop for hop in HOPS if self.verdicts[hop] == "FAIL"] == list(hops), self.text
        assert self.code == (1 if hops else 0)


Examine = Callable[..., Report]


@pytest.fixture
def examine(database_url: str, redis_url: str) -> Examine:
    """Where nothing else is said, nothing listens at the ports of the API and the gateway."""

    def run(*arguments: str, **settings: str) -> Report:
        environ: Mapping[str, str] = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BELLWIRE_LISTEN": f"{LOOPBACK}:{free_port()}",
            "BELLWIRE_GATEWAY_LISTEN": f"{LOOPBACK}:{free_port()}",
            **settings,
        }
        return Report(Command("doctor", *arguments, environ=environ))

    return run


def at(stack: Stack) -> dict[str, str]:
    return {
        "BELLWIRE_LISTEN": stack.api.address or "",
        "BELLWIRE_GATEWAY_LISTEN": stack.gateway.address or "",
    }


async def test_all_is_well_until_the_gateway_is_gone_and_redis_with_it(
    stack: Stack, connection: Connection, examine: Examine
) -> None:
    well = examine(**at(stack))
    well.assert_fails_at()
    assert f"{await connection.fetchval('SHOW server_version')}, " in well.words["PostgreSQL"]
    examine("--api", stack.api.url, "--gateway", stack.gateway.url).assert_fails_at()
    examine(BELLWIRE_URL=stack.api.url, BELLWIRE_GATEWAY_URL=stack.socket_url).assert_fails_at()

    gone = at(stack)
    await stack.gateway.killed()
    report = examine(**gone, REDIS_URL=f"redis://:hunter2@{LOOPBACK}:{free_port()}/0")
    report.assert_fails_at("Redis", "gateway", "websocket")
    assert report.verdicts["pub/sub"] == "-"
    assert "Start `bellwire gateway`" in report.words["gateway"]
    assert "hunter2" not in report.text


async def test_nothing_runs(examine: Examine) -> None:
    report = examine(DATABASE_URL=f"postgresql://me:hunter2@{LOOPBACK}:{free_port()}/x")
    report.assert_fails_at("PostgreSQL", "API", "gateway", "websocket")
    assert "Connection refused" in report.words["PostgreSQL"]
    assert (report.verdicts["migrations"], report.verdicts["worker"]) == ("-", "-")
    assert "hunter2" not in report.text


async def test_a_replica_takes_no_writes(connection: Connection, database_url: str, examine: Examine) -> None:
    name = database_url.rpartition("/")[2]
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    report = examine()
    assert report.verdicts["PostgreSQL"] == "FAIL"
    assert "point it to the primary" in report.words["PostgreSQL"]


async def test_pending_migrations_are_named(connection: Connection, examine: Examine) -> None:
    await connection.execute("DELETE FROM schema_migrations WHERE name = '0001_initial.sql'")
    report = examine()
    assert report.verdicts["migrations"] == "FAIL"
    assert "0001_initial.sql" in report.words["migrations"]
    assert "`bellwire migrate`" in report.words["migrations"]


async def test_a_worker_is_missed(environment: Environment, connection: Connection, examine: Examine) -> None:
    """Something is due, and has been for a while."""
    await connection.execute(
        "INSERT INTO outbox (environment_id, id, job_type, payload, run_at)"
        " VALUES ($1, gen_random_uuid(), 'hint', '{}', clock_timestamp() - interval '1 minute')",
        environment.id,
    )
    report = examine()
    report.assert_fails_at("API", "gateway", "websocket", "worker")
    assert re.search(r"6\d s ago", report.words["worker"])
    assert "Start `bellwire worker`" in report.words["worker"]


async def test_dead_letters_are_to_be_looked_at(
    stack: Stack, environment: Environment, connection: Connection, examine: Examine
) -> None:
    """Nothing fails at this moment, so that the exit code stays 0."""
    await connection.execute(
        "INSERT INTO dead_letters (environment_id, id, job_type, payload, attempts, last_error)"
        " VALUES ($1, gen_random_uuid(), 'hint', '{}', 10, 'broken')",
        environment.id,
    )
    report = examine(**at(stack))
    report.assert_fails_at()
    assert report.verdicts["dead letters"] == "warn"
    assert report.words["dead letters"].startswith("1 parked")
    assert "`bellwire dlq list`" in report.words["dead letters"]


async def test_something_else_listens_there(examine: Examine, redis_url: str) -> None:
    """Redis, here: it does not speak HTTP."""
    report = examine("--api", redis_url.replace("redis://", "http://").rpartition("/")[0])
    assert report.verdicts["API"] == "FAIL"
