"""bellwire import: a file of any length, in requests that the API takes."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import importing, main
from app.db.pool import Pool
from app.settings import Address
from tests.factories import Environment


@pytest.fixture
def api(address: Address, environment: Environment) -> list[str]:
    """How to reach the API, and its key."""
    return ["--url", f"http://{address}", "--key", environment.api_key]


async def run(*arguments: str, given: bytes = b"") -> Result:
    """In a thread: the API it talks to runs on this test's event loop."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["import", *arguments], input=given)


def person(number: int) -> str:
    return f'{{"subscriber_id":"person {number}"}}\n'


async def test_a_file_is_loaded_in_parts_and_told_as_one(
    api: list[str], pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_LINES", 10)
    file = tmp_path / "people.ndjson"
    file.write_text("\n".join(person(number) for number in range(16)))
    done = await run(*api, str(file))
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines()[-1] == "31 lines: 16 created, 0 existing, 0 failed, 15 blank"
    assert len(done.stderr.splitlines()) == 4
    assert await pool.fetchval("SELECT count(*) FROM subscribers") == 16
    again = await run(*api, str(file))
    assert (again.exit_code, again.stderr.splitlines()[-1]) == (
        0,
        "31 lines: 0 created, 16 existing, 0 failed, 15 blank",
    )


async def test_bad_lines_are_named_as_in_the_file_and_the_exit_code_is_1(
    api: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard input too, and a last line without an end."""
    monkeypatch.setattr(importing, "_LINES", 2)
    given = f"{person(1)}\n{person(2)}nonsense\n{person(3)}{{}}".encode()
    done = await run(*api, "-", given=given)
    assert done.exit_code == 1
    told = done.stderr.splitlines()
    assert [line.split(": ")[0] for line in told if line.startswith("-:")] == ["-:4", "-:6"]
    assert told[-1] == "6 lines: 3 created, 0 existing, 2 failed, 1 blank"


async def test_what_the_api_refuses_is_one_line(api: list[str], tmp_path: Path) -> None:
    file = tmp_path / "people.ndjson"
    file.write_text(person(1))
    refused = await run(*api[:3], "bw_wrong", str(file))
    assert refused.exit_code == 1
    assert "401" in refused.stderr
    away = await run("--url", "http://127.0.0.1:1", *api[2:], str(file))
    assert away.exit_code == 1
    assert "no answer from http://127.0.0.1:1" in away.stderr
    assert (await run(*api, str(tmp_path / "missing"))).exit_code == 2


async def test_an_empty_file_is_fine(api: list[str]) -> None:
    assert (await run(*api, "-")).exit_code == 0
