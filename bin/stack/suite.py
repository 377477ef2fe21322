"""bin/test: pytest between the start and the stop of throw-away servers."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Final, NoReturn

from stack import bootstrap, chromium, script
from stack.process import spawn
from stack.progress import step
from stack.scratch import Scratch
from stack.script import StopRequest
from stack.servers import EmbeddedPostgres, EmbeddedRedis

# Nothing here has to survive a power failure, so nothing waits for a disk.
VOLATILE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_HELP: Final = """\
usage: bin/test [ARGUMENTS OF PYTEST]

Starts throw-away servers and runs every test, or what the arguments say; paths are relative to the checkout:
  bin/test tests/e2e -k lights

Set any of these to use your own:
  BELLWIRE_TEST_DATABASE_URL   a PostgreSQL server's, as a user who may create databases
  BELLWIRE_TEST_REDIS_URL      a Redis server's, which is emptied
  BELLWIRE_CHROMIUM            the browser of the browser tests

pytest's own help, after the first run: .venv/bin/python -m pytest --help
"""
_TEARDOWN_TIMEOUT_S: Final = 30
_POLL_S: Final = 0.5


def main() -> NoReturn:
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(_HELP, end="")
        sys.exit(0)
    script.run("bin/test", _run)


def _run() -> int:
    bootstrap.enter("test")
    stop = StopRequest()
    environment = bootstrap.clean_environment()
    if browser := chromium.find_or_install():
        environment[chromium.VARIABLE] = browser
    with ExitStack() as cleanup:
        scratch = cleanup.enter_context(Scratch("test", in_memory=True)).path
        servers = {
            "BELLWIRE_TEST_DATABASE_URL": EmbeddedPostgres(scratch / "postgres", settings=VOLATILE),
            "BELLWIRE_TEST_REDIS_URL": EmbeddedRedis(scratch / "redis"),
        }
        for variable, server in servers.items():
            if not environment.get(variable) and not stop:
                with step(f"starting {server.name}"):
                    cleanup.enter_context(server)
                environment[variable] = server.url
        return 130 if stop else _pytest(environment, stop)


def _pytest(environment: dict[str, str], stop: StopRequest) -> int:
    command = [str(bootstrap.VENV_PYTHON), "-m", "pytest", *sys.argv[1:]]
    pytest = spawn(
        command,
        death_signal=signal.SIGTERM,
        environment=environment,
        directory=bootstrap.ROOT,
        at_terminal=True,
    )

    def pass_on(sign: signal.Signals) -> None:
        # pytest tidies up after SIGINT only; a Ctrl-C it has already got from the terminal.
        if not (sign is signal.SIGINT and _in_foreground()):
            pytest.send_signal(signal.SIGINT)

    stop.notify(pass_on)
    stopped_at = 0.0
    while True:
        try:
            code = pytest.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            stopped_at = stopped_at or (time.monotonic() if stop else 0.0)
            if stopped_at and time.monotonic() > stopped_at + _TEARDOWN_TIMEOUT_S:
                pytest.kill()
        else:
            return code if code >= 0 else 128 - code


def _in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
