"""What goes to the log: never the values of local variables, in whatever format."""

import logging

import pytest
import structlog

from app import logs


def _fail(secret: str) -> None:
    raise RuntimeError(f"a message of {len(secret)} characters")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_shows_no_local_variables(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret that a failing function holds stays out of both kinds of log."""
    root = logging.getLogger()
    handlers, level, configured = root.handlers, root.level, structlog.get_config()
    secret = "bws_" + "s" * 43
    try:
        logs.configure(log_format=log_format, level="info")
        try:
            _fail(secret)
        except RuntimeError:
            structlog.stdlib.get_logger("test").exception("it failed")
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.configure(**configured)
    written = capsys.readouterr().err
    assert "RuntimeError" in written
    assert secret not in written
