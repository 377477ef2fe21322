"""What the roles' commands make of their settings, before anything serves."""

from collections.abc import Mapping, Sequence

import pytest
from click.testing import CliRunner, Result

from app.cli import main, supervisor


class Supervised:
    """Stands in for the supervisor: nothing is started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patience_s = 0.0
        monkeypatch.setattr(supervisor, "run", self._run)

    def _run(self, _: Sequence[Sequence[str]], __: Mapping[str, str], *, patience_s: float) -> int:
        self.patience_s = patience_s
        return 0


@pytest.fixture
def supervised(monkeypatch: pytest.MonkeyPatch) -> Supervised:
    return Supervised(monkeypatch)


def run(command: Sequence[str], database_url: str, **environ: str) -> Result:
    settings = {"DATABASE_URL": database_url, "REDIS_URL": "redis://not-asked", **environ}
    ended = CliRunner().invoke(main, command, env=settings)
    assert ended.exit_code == 0, ended.output
    return ended


@pytest.mark.parametrize("command", [["serve"], ["api", "--workers=2"], ["gateway", "--workers=2"]])
def test_children_may_take_their_grace_and_their_drain(
    command: Sequence[str], database_url: str, supervised: Supervised
) -> None:
    run(command, database_url, BELLWIRE_SHUTDOWN_GRACE_S="3600", BELLWIRE_DRAIN_S="1800")
    assert supervised.patience_s > 3600 + 1800
    run(command, database_url, BELLWIRE_DRAIN_S="0")
    assert 30 < supervised.patience_s < 300


@pytest.mark.parametrize("command", [["serve"], ["api", "--workers=2"], ["gateway", "--workers=2"]])
@pytest.mark.parametrize(
    ("environ", "warnings"),
    [
        ({}, 1),
        ({"BELLWIRE_ALLOWED_ORIGINS": "https://app.example.com, *"}, 1),
        ({"BELLWIRE_ALLOWED_ORIGINS": "https://app.example.com"}, 0),
        ({"BELLWIRE_DEV_ENVIRONMENT": "demo"}, 0),
    ],
)
def test_every_origin_is_warned_of_outside_development(
    command: Sequence[str],
    environ: Mapping[str, str],
    warnings: int,
    database_url: str,
    supervised: Supervised,
) -> None:
    said = run(command, database_url, **environ).output
    assert said.count("BELLWIRE_ALLOWED_ORIGINS") == warnings
    assert supervised.patience_s


def test_the_environment_is_planted_without_migrating_too(database_url: str, supervised: Supervised) -> None:
    run(["serve"], database_url, BELLWIRE_MIGRATE_ON_BOOT="false", BELLWIRE_DEV_ENVIRONMENT="demo")
    assert supervised.patience_s
    assert "demo" in run(["env", "list"], database_url).output
