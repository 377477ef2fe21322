"""bellwire serve: a part that dies is started again, one that never held ends all, SIGTERM is clean."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator, Mapping

import pytest
from stack.ports import LOOPBACK, free_port
from stack.process import wait_until

from app.cli.supervisor import SETTLED_S
from tests.app.cli.command import Command, hears_sigterm
from tests.app.cli.path import DEVELOPMENT, wait_until_it_rings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the parts are found in /proc")
ROLES = {"api", "gateway", "worker"}


@pytest.fixture
def environ(database_url: str, redis_url: str) -> Mapping[str, str]:
    return {
        **DEVELOPMENT,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "BELLWIRE_LISTEN": f"{LOOPBACK}:{free_port()}",
        "BELLWIRE_GATEWAY_LISTEN": f"{LOOPBACK}:{free_port()}",
    }


@pytest.fixture
def serve(environ: Mapping[str, str]) -> Generator[Callable[..., Command]]:
    started: list[Command] = []

    def start(**settings: str) -> Command:
        started.append(Command("serve", environ={**environ, **settings}))
        return started[-1]

    yield start
    for command in started:
        if command.process.poll() is None:
            command.process.kill()
        command.process.wait()


def up(command: Command) -> None:
    for role in ROLES:
        command.wait_for('"up"', f'"{role}"')


def test_every_part_that_is_killed_is_started_again_and_the_bell_rings(
    serve: Callable[..., Command], environ: Mapping[str, str]
) -> None:
    command = serve()
    up(command)
    time.sleep(SETTLED_S)  # a part that ends sooner, and never held longer, ends everything
    for role in ("gateway", "worker", "api"):
        killed = command.children()[role]
        os.kill(killed, signal.SIGKILL)
        warning = command.wait_for("starting it again", f'"{role}"')
        assert '"warning"' in warning
        assert "-9" in warning
        wait_until_it_rings(environ["BELLWIRE_LISTEN"], environ["BELLWIRE_GATEWAY_LISTEN"])
        assert wait_until(lambda: command.children().get(role, killed) != killed, timeout_s=10)  # noqa: B023
    command.process.send_signal(signal.SIGTERM)
    assert command.ended() == 0
    assert '"error"' not in command.said
    assert command.said.count("starting it again") == 3


def test_a_part_that_dies_again_and_again_takes_no_other_with_it(
    serve: Callable[..., Command], environ: Mapping[str, str]
) -> None:
    """It held once: it is started again, after longer each time, and SIGTERM in such a pause is clean."""
    command = serve()
    up(command)
    time.sleep(SETTLED_S)
    before = command.children()
    for pause in ("0.0", "1.0", "2.0", "4.0"):
        assert wait_until(lambda: "worker" in command.children(), timeout_s=10)
        os.kill(command.children()["worker"], signal.SIGKILL)
        command.wait_for("starting it again", '"worker"', f'"in_s": {pause}')
    wait_until_it_rings(environ["BELLWIRE_LISTEN"], environ["BELLWIRE_GATEWAY_LISTEN"])
    after = command.children()
    assert {role: after[role] for role in ("api", "gateway")} == {
        role: before[role] for role in ("api", "gateway")
    }
    command.process.send_signal(signal.SIGTERM)
    assert command.ended() == 0
    assert '"error"' not in command.said


def test_what_the_parts_share_is_done_and_said_once(
    serve: Callable[..., Command],
) -> None:
    command = serve(BELLWIRE_ADMIN_EMAIL="ada@example.com", BELLWIRE_ADMIN_PASSWORD="correct horse battery")
    up(command)
    command.process.send_signal(signal.SIGTERM)
    assert command.ended() == 0
    assert command.said.count("anybody may read this environment") == 1
    assert command.said.count("this administrator was made") == 1
    command = serve(BELLWIRE_DEV_ENVIRONMENT="")
    up(command)
    command.process.send_signal(signal.SIGTERM)
    assert command.ended() == 0
    assert command.said.count("BELLWIRE_ALLOWED_ORIGINS") == 1


def test_a_port_in_use_ends_everything(serve: Callable[..., Command], environ: Mapping[str, str]) -> None:
    host, _, port = environ["BELLWIRE_GATEWAY_LISTEN"].rpartition(":")
    with socket.create_server((host, int(port))):
        command = serve()
        assert command.process.wait(60) == 1
    assert len([line for line in command.lines if '"error"' in line]) == 1
    command.wait_for("soon after its start", '"gateway"')


@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.7, 1.1, 1.6, 2.5])
def test_sigterm_at_any_moment_of_the_start_is_clean(serve: Callable[..., Command], after_s: float) -> None:
    command = serve()
    assert wait_until(lambda: hears_sigterm(command.process.pid), timeout_s=10)
    time.sleep(after_s)
    children = command.children()
    command.process.send_signal(signal.SIGTERM)
    assert command.ended() == 0
    assert '"error"' not in command.said
    assert wait_until(lambda: not any(_lives(pid) for pid in children.values()), timeout_s=5)


def test_the_parts_of_a_killed_serve_end_with_it(serve: Callable[..., Command]) -> None:
    command = serve()
    up(command)
    children = command.children()
    assert children.keys() == ROLES
    command.process.kill()
    assert wait_until(lambda: not any(_lives(pid) for pid in children.values()), timeout_s=10)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
