"""Settings: a variable that cannot be parsed stops the boot with one line that names it."""

import pytest

from app.settings import SettingsError, load

GOOD = {"DATABASE_URL": "postgresql://u:p@h:5432/d", "REDIS_URL": "redis://h:6379/0"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://[bad"),
        ("DATABASE_URL", "mysql://h/d"),
        ("REDIS_URL", "redis://:pw@[bad"),
        ("REDIS_URL", "redis://h:notaport/0"),
        ("BELLWIRE_LISTEN", "8080"),
        ("BELLWIRE_MAX_CONNECTIONS", "many"),
        ("BELLWIRE_DEMO", "perhaps"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:port"),
        ("BELLWIRE_ALLOWED_ORIGINS", ","),
        ("BELLWIRE_ALLOWED_ORIGINS", "https://app.example.com/inbox"),
    ],
)
def test_what_cannot_be_parsed_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as error:
        load({**GOOD, name: value})
    assert "pw" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("BELLWIRE_ADMIN_EMAIL", "BELLWIRE_ADMIN_PASSWORD"),
        ("BELLWIRE_ADMIN_PASSWORD", "BELLWIRE_ADMIN_EMAIL"),
    ],
)
def test_half_an_administrator_is_named(given: str, missing: str) -> None:
    with pytest.raises(SettingsError, match=f"{missing} is not set"):
        load({**GOOD, given: "half of it"})


def test_settings_hide_passwords() -> None:
    assert "p@" not in repr(load(GOOD)).replace("postgresql", "")
