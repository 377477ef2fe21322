"""What bin/dev says once everything runs."""

from stack import dev
from stack.ports import LOOPBACK, Listen

API = Listen("BELLWIRE_LISTEN", LOOPBACK, 8080)
GATEWAY = Listen("BELLWIRE_GATEWAY_LISTEN", LOOPBACK, 8081)


def test_it_says_how_to_get_into_the_console() -> None:
    said = dev.welcome(dev.DEFAULTS, API, GATEWAY)
    assert "http://127.0.0.1:8080/admin  (admin@example.com / bellwire-dev-admin)" in said


def test_a_password_of_the_developers_own_is_not_shown() -> None:
    own = {"BELLWIRE_ADMIN_EMAIL": "ada@example.com", "BELLWIRE_ADMIN_PASSWORD": "correct horse battery"}
    said = dev.welcome({**dev.DEFAULTS, **own}, API, GATEWAY)
    assert "(ada@example.com / your password)" in said
    assert "correct horse battery" not in said


def test_a_demo_page_that_is_not_served_is_not_offered() -> None:
    assert "Demo page      http://127.0.0.1:8080/demo\n  Admin" in dev.welcome(dev.DEFAULTS, API, GATEWAY)
    for off in ("false", "no", ""):
        said = dev.welcome({**dev.DEFAULTS, "BELLWIRE_DEMO": off}, API, GATEWAY)
        assert "/demo" not in said
        assert "Bellwire runs.\n\n  Admin" in said
