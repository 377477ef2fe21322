"""What fault tests rely on: a server that can be stopped, killed, frozen and started again at will."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import asyncpg
import pytest
import redis
from stack import postgres_programs, servers
from stack.errors import StackError
from stack.ports import LOOPBACK, free_port
from stack.process import Account, ProcessTree, processes, spawn, wait_until
from stack.scratch import Scratch
from stack.servers import EmbeddedPostgres, EmbeddedRedis
from stack.suite import VOLATILE
from stack.supervisor import EmbeddedServer

BIN = Path(servers.__file__).parents[1]


def ask(server: EmbeddedServer, question: str = "SELECT 1") -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(server.url)
        try:
            return await connection.fetchval(question)
        finally:
            connection.terminate()

    return asyncio.run(fetch())


def ping(server: EmbeddedServer) -> bool:
    with redis.Redis.from_url(server.url, socket_timeout=5) as client:
        return bool(client.ping())


def lives(pid: int) -> bool:
    return pid in processes()


@pytest.fixture(scope="module")
def scratch() -> Generator[Path]:
    with Scratch("servers", in_memory=True) as directory:
        yield directory.path


@pytest.fixture(scope="module")
def cluster(scratch: Path) -> Generator[EmbeddedPostgres]:
    """Its commits outlive a kill, though not the machine: unlike VOLATILE, it waits for the log's writer."""
    server = EmbeddedPostgres(scratch / "postgres", settings={"fsync": "off"})
    yield server
    server.stop()


@pytest.fixture
def postgres(cluster: EmbeddedPostgres) -> EmbeddedPostgres:
    cluster.start()
    return cluster


@pytest.fixture
def valkey(scratch: Path) -> Generator[EmbeddedRedis]:
    with EmbeddedRedis(scratch / "redis") as server:
        yield server


def test_postgres_answers_on_loopback_with_the_given_settings(postgres: EmbeddedPostgres) -> None:
    assert ask(postgres, "SHOW listen_addresses") == LOOPBACK
    assert ask(postgres, "SHOW unix_socket_directories") == ""
    assert ask(postgres, "SHOW fsync") == "off"
    assert ask(postgres, "SELECT 'ü'") == "ü"


def test_starting_twice_and_stopping_twice_does_nothing(postgres: EmbeddedPostgres) -> None:
    pid = postgres.pid
    postgres.start()
    assert postgres.pid == pid
    postgres.stop()
    postgres.stop()
    assert not postgres.running
    assert not lives(pid)


def test_a_restart_keeps_port_and_data(postgres: EmbeddedPostgres) -> None:
    port = postgres.port
    ask(postgres, "CREATE TABLE kept AS SELECT 42 AS answer")
    postgres.restart()
    assert postgres.port == port
    assert ask(postgres, "SELECT answer FROM kept") == 42


def test_a_kill_takes_every_process_of_the_server_and_it_recovers(postgres: EmbeddedPostgres) -> None:
    ask(postgres, "CREATE TABLE survived AS SELECT 1")
    children = {pid for pid, parent in processes().items() if parent == postgres.pid}
    assert children
    postgres.kill()
    assert not postgres.running
    assert not children & processes().keys()
    postgres.start()
    assert ask(postgres, "SELECT count(*) FROM survived") == 1


def test_a_paused_server_keeps_its_connections_and_answers_nobody(postgres: EmbeddedPostgres) -> None:
    async def scenario() -> None:
        connection = await asyncpg.connect(postgres.url)
        postgres.pause()
        question = asyncio.ensure_future(connection.fetchval("SELECT 1"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(question), 0.2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncpg.connect(postgres.url), 0.2)
        postgres.resume()
        assert await asyncio.wait_for(question, 5) == 1
        await connection.close()

    asyncio.run(scenario())


def test_a_paused_server_can_be_stopped_and_killed(postgres: EmbeddedPostgres) -> None:
    postgres.pause()
    postgres.stop()
    postgres.start()
    postgres.pause()
    postgres.kill()
    postgres.start()
    assert ask(postgres) == 1


def test_a_server_outlives_the_thread_that_started_it(postgres: EmbeddedPostgres) -> None:
    thread = threading.Thread(target=postgres.restart)
    thread.start()
    thread.join()
    assert not wait_until(lambda: not postgres.running, timeout_s=0.3)
    assert ask(postgres) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_servers_end_with_a_parent_that_is_killed(scratch: Path) -> None:
    program = """
import sys
from pathlib import Path
from stack.servers import EmbeddedPostgres, EmbeddedRedis
directory = Path(sys.argv[1])
servers = [EmbeddedPostgres(directory / "p", settings={"fsync": "off"}), EmbeddedRedis(directory / "r")]
for server in servers:
    server.start()
print(*(server.pid for server in servers), flush=True)
sys.stdin.read()
"""
    parent = subprocess.Popen(  # noqa: S603 - the program above
        [sys.executable, "-c", program, scratch],
        env={**os.environ, "PYTHONPATH": str(BIN)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(lives(pid) for pid in pids)
        parent.kill()
    assert wait_until(lambda: not any(lives(pid) for pid in pids), timeout_s=10)


def test_a_lock_left_by_a_crash_is_no_obstacle_even_if_its_number_is_in_use(
    postgres: EmbeddedPostgres,
) -> None:
    postgres.kill()
    lock = postgres.data_dir / "cluster" / "postmaster.pid"
    left = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getpid()), *left[1:]]))
    postgres.start()
    assert ask(postgres) == 1


def test_a_directory_in_use_is_refused_in_one_line(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_PREDECESSOR_TIMEOUT_S", 0.1)
    with pytest.raises(StackError, match=f"kill -INT {postgres.pid}") as refused:
        EmbeddedPostgres(postgres.data_dir).start()
    assert "\n" not in str(refused.value)
    assert ask(postgres) == 1


def test_data_of_another_version_is_refused_in_one_line(postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    version = postgres.data_dir / "cluster" / "PG_VERSION"
    made_by = version.read_text()
    version.write_text("9\n")
    with pytest.raises(StackError, match=r"PostgreSQL 9's, this is \d\d; `bin/dev --fresh`"):
        postgres.start()
    version.write_text(made_by)


def test_broken_data_is_named_in_one_line(scratch: Path) -> None:
    with EmbeddedPostgres(scratch / "broken", settings=VOLATILE) as server:
        pass
    (server.data_dir / "cluster" / "global" / "pg_control").unlink()
    with pytest.raises(StackError, match=f"{server.data_dir}.*`bin/dev --fresh`") as broken:
        server.start()
    assert "\n" not in str(broken.value)
    (server.data_dir / "cluster" / "PG_VERSION").unlink()
    with pytest.raises(StackError, match="no PostgreSQL data directory"):
        server.start()


def test_a_password_is_made_once_and_required(scratch: Path) -> None:
    with EmbeddedPostgres(scratch / "secret", settings=VOLATILE, with_password=True) as server:
        assert ask(server) == 1
        url = server.url
        password = (server.data_dir / "password").read_text()
        assert password in url
        assert (server.data_dir / "password").stat().st_mode & 0o077 == 0
        (server.data_dir / "password").write_text("wrong")
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(server)


def test_other_programs_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = postgres_programs.programs()
    monkeypatch.setenv("BELLWIRE_POSTGRES_BIN", str(chosen))
    assert postgres_programs.programs() == chosen
    monkeypatch.setenv("BELLWIRE_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(StackError, match=r"BELLWIRE_POSTGRES_BIN=.*no program `postgres`"):
        postgres_programs.programs()


@pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL runs as another user only for root")
def test_root_is_told_of_a_directory_that_is_closed_to_postgres(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(StackError, match="`nobody`, who cannot enter"):
        EmbeddedPostgres(tmp_path / "postgres").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL runs as another user only for root")
def test_root_gets_a_copy_of_programs_that_are_closed_to_postgres(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def can_enter(_: Account, path: Path) -> bool:
        return "site-packages" not in str(path)

    monkeypatch.setattr(postgres_programs, "can_enter", can_enter)
    monkeypatch.delenv("BELLWIRE_POSTGRES_BIN", raising=False)
    with EmbeddedPostgres(scratch / "copied", settings=VOLATILE) as server:
        assert "site-packages" not in str(Path(f"/proc/{server.pid}/exe").readlink())
        assert ask(server) == 1


def test_a_port_taken_at_the_last_moment_is_exchanged_for_another(scratch: Path) -> None:
    server = EmbeddedRedis(scratch / "raced")
    with socket.create_server((LOOPBACK, server.port)) as taken, server:
        assert server.port != taken.getsockname()[1]
        assert ping(server)


def test_a_given_port_that_is_taken_is_an_error(scratch: Path) -> None:
    port = free_port()
    with socket.create_server((LOOPBACK, port)), pytest.raises(StackError, match="Redis did not start"):
        EmbeddedRedis(scratch / "refused", port=port).start()


def test_redis_survives_every_treatment_on_one_port(valkey: EmbeddedRedis) -> None:
    port = valkey.port
    assert ping(valkey)
    valkey.restart()
    assert ping(valkey)
    valkey.kill()
    with pytest.raises(redis.ConnectionError):
        ping(valkey)
    valkey.start()
    valkey.pause()
    with (
        redis.Redis.from_url(valkey.url, socket_timeout=0.2) as client,
        pytest.raises(redis.TimeoutError),
    ):
        client.ping()
    valkey.resume()
    assert ping(valkey)
    assert valkey.port == port


def test_redis_takes_settings_and_a_password(scratch: Path) -> None:
    with EmbeddedRedis(scratch / "secret-redis", settings={"databases": "3"}, with_password=True) as server:
        with redis.Redis.from_url(server.url, protocol=3) as client:
            assert client.config_get("databases") == {"databases": "3"}
        with socket.create_connection((LOOPBACK, server.port)) as stranger:
            stranger.sendall(b"PING\r\n")
            assert stranger.recv(100).startswith(b"-NOAUTH")


def test_a_process_that_will_not_end_is_killed_with_all_its_descendants(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; setsid sh -c 'sleep 60 & wait' & wait; wait; sleep 60"
    tree = ProcessTree(
        spawn(
            ["/bin/sh", "-c", stubborn],
            death_signal=signal.SIGKILL,
            environment={"PATH": os.defpath},
            directory=tmp_path,
        )
    )

    def descendants() -> set[int]:
        parents = processes()
        found = {tree.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    assert wait_until(lambda: len(descendants()) >= 3, timeout_s=5)
    all_of_it = descendants()
    tree.end(signal.SIGTERM, timeout_s=0.2)
    assert not all_of_it & processes().keys()
