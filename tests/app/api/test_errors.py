"""What nobody expects: told as 500 in the envelope, and logged without what the caller sent."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
import structlog

from app.api import errors
from app.api.services import Services
from app.contract.errors import Unavailable
from app.logs import Seldom
from tests.app.api.wire import assert_refused

SEND = {"subscriber_id": "ada", "category": "news", "payload": {"secret": "swordfish"}}


def fail_with(monkeypatch: pytest.MonkeyPatch, services: Services, error: Exception) -> None:
    async def send(*_: Any) -> None:
        raise error

    monkeypatch.setattr(services.notifications, "send", send)


async def test_a_defect_is_a_500_with_its_traceback_in_the_log_and_no_payload(
    backend: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, services, ZeroDivisionError("while storing swordfish"))
    with structlog.testing.capture_logs() as lines:
        answer = await backend.post("/v1/notifications", json=SEND)
    assert_refused(answer, 500, "internal")
    assert "swordfish" not in answer.text
    [line] = [line for line in lines if line["log_level"] == "error"]
    assert "ZeroDivisionError" in line["traceback"]
    assert "in send_notifications" in line["traceback"]
    assert "swordfish" not in str(lines)


async def test_an_error_of_the_database_is_logged_without_its_detail(
    backend: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = asyncpg.UniqueViolationError("Key (payload)=(swordfish) already exists")
    fail_with(monkeypatch, services, error)
    with structlog.testing.capture_logs() as lines:
        assert_refused(await backend.post("/v1/notifications", json=SEND), 500, "internal")
    assert "UniqueViolationError" in str(lines)
    assert "swordfish" not in str(lines)


async def test_what_the_database_cannot_hold_is_the_callers_mistake(
    backend: httpx.AsyncClient,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:
    for error in (
        asyncpg.CharacterNotInRepertoireError("invalid byte sequence"),
        asyncpg.UntranslatableCharacterError("unsupported Unicode escape sequence"),
        asyncpg.InvalidTextRepresentationError("invalid input syntax for type json"),
        asyncpg.DatetimeFieldOverflowError("date out of range"),
        asyncpg.DataError("invalid input for query argument $1"),
    ):
        with subtests.test(error=type(error).__name__), structlog.testing.capture_logs() as lines:
            fail_with(monkeypatch, services, error)
            assert_refused(await backend.post("/v1/notifications", json=SEND), 400, "invalid_request")
            assert lines == []


async def test_the_database_away_is_a_warning_every_few_seconds(
    backend: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Unavailable("the database is not available; try again shortly")
    away.__cause__ = ConnectionRefusedError("postgresql://bellwire:swordfish@db")
    fail_with(monkeypatch, services, away)
    monkeypatch.setattr(errors, "_unavailable", Seldom(every_s=1))
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            answer = await backend.post("/v1/notifications", json=SEND)
            assert_refused(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) >= 1
        await asyncio.sleep(1)
        await backend.post("/v1/notifications", json=SEND)
    assert [line["times"] for line in lines] == [1, 3]
    assert all(line["log_level"] == "warning" for line in lines)
    assert "ConnectionRefusedError" in str(lines)
    assert "swordfish" not in str(lines)


async def test_a_drain_is_no_reason_for_a_warning(client: httpx.AsyncClient, services: Services) -> None:
    services.readiness.drain()
    with structlog.testing.capture_logs() as lines:
        assert_refused(await client.get("/readyz"), 503, "unavailable")
    assert lines == []
