"""bin/dev and bin/test as they are typed, with data and ports of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Generator
from http.client import HTTPConnection
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
import stack
from stack import bootstrap
from stack.keeper import SETTLED_S
from stack.ports import LOOPBACK
from stack.process import processes, wait_until
from stack.scratch import Scratch

from tests.app.cli.command import hears_sigterm
from tests.app.cli.path import wait_until_it_rings

BIN = Path(stack.__file__).parents[1]
TIMEOUT_S = 60
ANY_PORTS = {"BELLWIRE_LISTEN": f"{LOOPBACK}:0", "BELLWIRE_GATEWAY_LISTEN": f"{LOOPBACK}:0"}

# Its own data, not the checkout's, where somebody's bin/dev may be running.
RUN = """
import sys
from pathlib import Path
from stack import dev, script
script.run("bin/dev", lambda: dev.run(Path(sys.argv[1]), fresh="--fresh" in sys.argv), code_if_stopped=0)
"""
INSTEAD_OF_SERVING_SHOW_THE_ENVIRONMENT = """
import json
from stack import dev
dev._serve = lambda given, *_: print(json.dumps(given)) or 0
"""
SHOW = INSTEAD_OF_SERVING_SHOW_THE_ENVIRONMENT + RUN

BELLWIRE = """
import sys
from pathlib import Path
from stack import command, script
script.run("bin/bellwire", lambda: command.run(Path(sys.argv[1]), sys.argv[2:]))
"""

made = pytest.mark.skipif(not bootstrap.is_current("test"), reason="only in the environment bin/test made")


@pytest.fixture
def state() -> Generator[Path]:
    with Scratch("state") as scratch:
        yield scratch.path


class Script:
    started: ClassVar[list["Script"]] = []

    def __init__(self, *command: str | Path, **environment: str) -> None:
        without = ("DATABASE_URL", "REDIS_URL")
        inherited = {name: value for name, value in os.environ.items() if name not in without}
        self.process = subprocess.Popen(  # noqa: S603 - the scripts under test
            command,
            env={**inherited, **ANY_PORTS, "PYTHONPATH": str(BIN), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self.started.append(self)

    def read_until(self, text: str) -> str:
        """The line that has it."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            if text in line:
                return line
        raise AssertionError(f"it ended without saying {text!r}:\n{self.said}")

    def read_on(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.said += line

    def ended(self) -> int:
        rest, _ = self.process.communicate(timeout=TIMEOUT_S)
        self.said += rest
        assert "Traceback" not in self.said
        return self.process.returncode

    def stop(self, sign: signal.Signals) -> int:
        self.process.send_signal(sign)
        return self.ended()

    def find(self, *words: str) -> int:
        """The process under it with these words in its command; 0 where there is none.

        The topmost: it has the lowest number, unless numbers started anew meanwhile.
        """
        for pid in sorted(self.descendants()):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_text()
            except OSError:  # it ended meanwhile
                continue
            if "launch.py" not in command and all(word in command for word in words):
                return pid
        return 0

    def descendants(self) -> set[int]:
        found = {self.process.pid}
        while more := {pid for pid, parent in processes().items() if parent in found} - found:
            found |= more
        return found - {self.process.pid}


@pytest.fixture(autouse=True)
def _nothing_runs_on_after_a_failure() -> Generator[None]:
    yield
    for script in Script.started:
        if script.process.poll() is None:
            script.process.kill()
            script.process.communicate()
    Script.started.clear()


def dev(state: Path, *arguments: str, **environment: str) -> Script:
    return Script(sys.executable, "-c", RUN, state, *arguments, **environment)


def bellwire(state: Path, *arguments: str, **environment: str) -> Script:
    return Script(sys.executable, "-c", BELLWIRE, state, *arguments, **environment)


def test_bin_dev_serves_until_it_is_told_to_stop(state: Path) -> None:
    first = dev(state)
    first.read_until("Bellwire runs.")
    assert "Administrator" not in first.said
    url = urlsplit(first.read_until("Health").split()[1])
    connection = HTTPConnection(LOOPBACK, url.port or 0, timeout=10)
    connection.request("GET", url.path)
    assert connection.getresponse().status == 200
    connection.close()
    assert "'Authorization: Bearer bw_dev_key'" in first.read_until("Bearer")
    first.read_until("bin/bellwire env create acme")
    told = state / "dev.json"
    assert told.stat().st_mode & 0o777 == 0o600
    for arguments, answer in {
        ("env", "create", "acme"): "\n",
        ("key", "create", "--env", "acme"): "\n",
        ("migrate", "--check"): "up to date",
        ("send", "--key", "bw_dev_key", "--to", "ada", "--title", "Hello"): "notif_",
        ("doctor",): "websocket     opened",
    }.items():
        command = bellwire(state, *arguments)
        assert command.ended() == 0, command.said
        assert answer in command.said
    running = first.descendants()
    assert len(running) > 10
    assert first.stop(signal.SIGTERM) == 0
    assert not told.exists()
    assert not running & processes().keys()


@pytest.mark.skipif(sys.platform != "linux", reason="the parts are found in /proc")
def test_whatever_is_killed_under_bin_dev_runs_again(state: Path) -> None:
    script = dev(state)
    api = urlsplit(script.read_until("Health").split()[1]).netloc
    told = json.loads((state / "dev.json").read_text())
    gateway = urlsplit(told["BELLWIRE_GATEWAY_URL"]).netloc
    script.read_until("Ctrl-C stops everything")
    reader = threading.Thread(target=script.read_on)
    reader.start()
    wait_until_it_rings(api, gateway)
    time.sleep(SETTLED_S)  # what ends sooner is not started again
    for words in (["valkey-server"], ["postgres", "-D"], ["app.cli", "serve"]):
        killed = script.find(*words)
        os.kill(killed, signal.SIGKILL)
        assert wait_until(
            lambda words=words, killed=killed: script.find(*words) not in (0, killed), timeout_s=15
        )
        wait_until_it_rings(api, gateway)
    assert json.loads((state / "dev.json").read_text()) == told
    script.process.send_signal(signal.SIGTERM)
    assert script.process.wait(TIMEOUT_S) == 0
    reader.join(TIMEOUT_S)
    for again in (
        "starting Redis again",
        "starting PostgreSQL again",
        "Bellwire was killed; starting it again",
    ):
        assert script.said.count(again) == 1
    assert "Traceback" not in script.said


@pytest.mark.skipif(sys.platform != "linux", reason="what it listens to is found in /proc")
@pytest.mark.parametrize("after_s", [0.0, 1.0, 3.0])
def test_sigterm_at_any_moment_of_the_start_is_clean(state: Path, after_s: float) -> None:
    script = dev(state)
    assert wait_until(lambda: hears_sigterm(script.process.pid), timeout_s=10)
    time.sleep(after_s)
    running = script.descendants()
    assert script.stop(signal.SIGTERM) == 0
    assert not running & processes().keys()


def test_bin_bellwire_says_that_bin_dev_does_not_run(state: Path) -> None:
    command = bellwire(state, "env", "create", "acme")
    assert command.ended() == 1
    assert command.said == (
        "bin/bellwire: bin/dev does not run in this checkout: start it in another terminal, or set"
        " DATABASE_URL.\n"
    )
    for helpful in (("--help",), ("env", "create", "--help")):
        command = bellwire(state, *helpful)
        assert command.ended() == 0
        assert "Usage: bellwire" in command.said


def test_bin_bellwire_leaves_a_database_of_the_users_own_alone(state: Path) -> None:
    command = bellwire(state, "env", "create", "acme", DATABASE_URL="postgresql://me@127.0.0.1:1/x")
    assert command.ended() == 1
    assert "PostgreSQL at 127.0.0.1:1 does not answer" in command.said


def test_a_lost_password_is_named_with_the_way_out(state: Path) -> None:
    assert Script(sys.executable, "-c", SHOW, state).ended() == 0
    (state / "postgres" / "password").unlink()
    script = Script(sys.executable, "-c", SHOW, state)
    assert script.ended() == 1
    last = script.said.splitlines()[-1]
    assert last.startswith(f"bin/dev: {state / 'postgres' / 'password'} is lost")
    assert "`bin/dev --fresh`" in last
    assert Script(sys.executable, "-c", SHOW, state, "--fresh").ended() == 0


def test_data_stays_until_a_fresh_start(state: Path) -> None:
    version = state / "postgres" / "cluster" / "PG_VERSION"
    made_at: list[int] = []
    for arguments in ((), (), ("--fresh",)):
        script = Script(sys.executable, "-c", SHOW, state, *arguments)
        assert script.ended() == 0
        made_at.append(version.stat().st_mtime_ns)
    first, second, fresh = made_at
    assert first == second < fresh


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_nothing_survives_a_killed_bin_dev(state: Path) -> None:
    script = dev(state)
    script.read_until("Ctrl-C stops everything")
    running = script.descendants()
    script.stop(signal.SIGKILL)
    assert wait_until(lambda: not running & processes().keys(), timeout_s=15)


def test_a_second_bin_dev_is_told_of_the_first(state: Path) -> None:
    first = dev(state)
    first.read_until("starting PostgreSQL")
    with socket.create_server((LOOPBACK, 0)) as taken:  # what is told first is that it runs already
        second = dev(state, BELLWIRE_LISTEN=f"{LOOPBACK}:{taken.getsockname()[1]}")
        assert second.ended() == 1
    assert second.said == f"bin/dev: It already runs in this checkout, as process {first.process.pid}.\n"
    assert first.stop(signal.SIGINT) == 0


def test_a_bellwire_that_cannot_start_is_shown_and_ends_bin_dev(state: Path) -> None:
    script = dev(state, BELLWIRE_LOG_LEVEL="deafening")
    assert script.ended() == 1
    assert "BELLWIRE_LOG_LEVEL" in script.said
    assert script.said.splitlines()[-1].startswith("bin/dev: Bellwire ended with exit code")


def test_servers_and_settings_of_the_user_win(state: Path) -> None:
    own = {"DATABASE_URL": "postgresql://own/database", "REDIS_URL": "redis://own", "BELLWIRE_DEMO": "false"}
    script = Script(sys.executable, "-c", SHOW, state, **own)
    assert script.ended() == 0
    given = json.loads(script.said)
    assert {name: given[name] for name in own} == own
    assert given["BELLWIRE_DEV_ENVIRONMENT"] == "demo"
    assert not given["BELLWIRE_LISTEN"].endswith(":0")
    assert not (state / "postgres").exists()
    assert not (state / "redis").exists()


def test_a_port_in_use_is_said_in_one_line_before_anything_is_installed() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        script = Script(sys.executable, BIN / "dev", BELLWIRE_LISTEN=f"{LOOPBACK}:{port}")
        assert script.ended() == 1
    assert script.said == (
        f"bin/dev: Port {port} on 127.0.0.1 is in use: choose another with BELLWIRE_LISTEN=HOST:PORT.\n"
    )


def test_help_explains_without_starting_anything() -> None:
    script = Script(sys.executable, BIN / "dev", "--help")
    assert script.ended() == 0
    assert "--fresh" in script.said
    assert "DATABASE_URL" in script.said


def test_help_of_bin_test_starts_nothing_and_names_pytests() -> None:
    script = Script(sys.executable, BIN / "test", "--help")
    assert script.ended() == 0
    assert script.said.startswith("usage: bin/test")
    assert "-m pytest --help" in script.said
    assert "starting" not in script.said


def run_suite(directory: Path, test: str, *arguments: str, **environment: str) -> Script:
    """bin/test on one file outside the checkout."""
    file = directory / "test_it.py"
    file.write_text(textwrap.dedent(test))
    (directory / "pytest.ini").write_text("[pytest]\n")
    return Script(
        sys.executable, BIN / "test", "-s", "-p", "no:cacheprovider", str(file), *arguments, **environment
    )


@made
def test_bin_test_gives_servers_and_arguments_to_pytest_and_returns_its_code(tmp_path: Path) -> None:
    test = """
        import os
        def test_wanted(): print("DATABASE", os.environ["BELLWIRE_TEST_DATABASE_URL"])
        def test_failing(): raise AssertionError
    """
    own = {"BELLWIRE_TEST_DATABASE_URL": "", "BELLWIRE_TEST_REDIS_URL": ""}
    script = run_suite(tmp_path, test, "-k", "wanted", **own)
    assert script.ended() == 0
    assert "DATABASE postgresql://postgres@127.0.0.1:" in script.said

    given = {"BELLWIRE_TEST_DATABASE_URL": "postgresql://own", "BELLWIRE_TEST_REDIS_URL": "redis://own"}
    script = run_suite(tmp_path, test, **given)
    assert script.ended() == 1
    assert "DATABASE postgresql://own" in script.said
    assert "starting" not in script.said


@made
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_bin_test_lets_the_tests_tidy_up_and_leaves_no_process(
    tmp_path: Path, sign: signal.Signals
) -> None:
    test = """
        import os, time, pytest
        @pytest.fixture
        def something():
            yield
            print("TIDIED")
        def test_long(something):
            print("BEGUN", flush=True)
            time.sleep(60)
    """
    own = {"BELLWIRE_TEST_DATABASE_URL": "", "BELLWIRE_TEST_REDIS_URL": ""}
    script = run_suite(tmp_path, test, **own)
    script.read_until("BEGUN")
    running = script.descendants()
    assert script.stop(sign) == 2
    assert "TIDIED" in script.said
    assert not running & processes().keys()
