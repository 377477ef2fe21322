"""A server process that is started, stopped, killed and paused, with its files in one directory."""

import os
import secrets
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import ClassVar, Final, Self

from stack.errors import StackError
from stack.ports import LOOPBACK, free_port, is_free
from stack.process import Account, ProcessTree, spawn, wait_until

NO_SETTINGS: Final[Mapping[str, str]] = MappingProxyType({})
START_OVER: Final = "`bin/dev --fresh` starts over with an empty one"
_START_TIMEOUT_S: Final = 60  # a crashed PostgreSQL replays its log first
_STOP_TIMEOUT_S: Final = 10


class EmbeddedServer(ABC):
    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        settings: Mapping[str, str] = NO_SETTINGS,
        with_password: bool = False,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.settings = settings
        self.log = self.data_dir / "server.log"
        self._with_password = with_password
        self._port_is_ours_to_choose = port == 0
        self.port = port or free_port()
        self._log_start = 0
        self._process: ProcessTree | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int:
        return self._started().pid

    def start(self) -> None:
        if self.running:
            return
        self._prepare()
        while complaint := self._launch():
            if not self._port_is_ours_to_choose or is_free(LOOPBACK, self.port):
                raise StackError(f"{self.name} did not start from {self.data_dir}: {complaint}")
            self.port = free_port()  # somebody was faster
        self._port_is_ours_to_choose = False

    def stop(self) -> None:
        """Let it finish what it does and close its files; kill it when it takes too long."""
        if self._process is not None:
            self._process.end(self.stop_signal, timeout_s=_STOP_TIMEOUT_S)

    def kill(self) -> None:
        """A crash: nothing of it runs any more, and its files stay as they are at this instant."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Connections stay open and nobody answers."""
        self._started().freeze()

    def resume(self) -> None:
        self._started().thaw()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> str:
        """Empty once it serves; otherwise why it does not."""
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self._process = ProcessTree(
                spawn(
                    self._command(),
                    death_signal=self.stop_signal,
                    environment=server_environment(),
                    directory=self.data_dir,
                    output=output,
                    account=self._account(),
                )
            )
        process = self._process
        wait_until(lambda: not process.running or self._is_ready(process.pid), timeout_s=_START_TIMEOUT_S)
        if process.running and self._is_ready(process.pid):
            return ""
        process.kill()
        return self._complaint(self._logged())

    @abstractmethod
    def _prepare(self) -> None: ...

    @abstractmethod
    def _command(self) -> Sequence[str]: ...

    @abstractmethod
    def _is_ready(self, pid: int) -> bool:
        """Whether the process just started, and no other one, answers on the port."""

    @abstractmethod
    def _complaint(self, logged: str) -> str:
        """Why it did not start, in one line."""

    def _account(self) -> Account | None:
        return None

    def _started(self) -> ProcessTree:
        if self._process is None or not self._process.running:
            raise RuntimeError(f"{self.name} is not running")
        return self._process

    def _logged(self) -> str:
        """What it said since it was last started."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _make_data_dir(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self.data_dir.chmod(0o711)
        except OSError as error:
            raise StackError(f"{self.name} cannot use {self.data_dir}: {error.strerror}.") from error

    def _password(self) -> str:
        """Empty without one; otherwise made once and kept with the data."""
        if not self._with_password:
            return ""
        if not self._password_file.exists():
            self._make_data_dir()
            write_private(self._password_file, secrets.token_urlsafe(24))
        return self._password_file.read_text(encoding="utf-8")

    @property
    def _password_file(self) -> Path:
        return self.data_dir / "password"


def server_environment() -> dict[str, str]:
    """Nothing of the user's that a server reads as configuration: no PGPORT, no locale, no TZ."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    inherited = {name: os.environ[name] for name in kept if name in os.environ}
    return {"PATH": os.defpath, **inherited, "LC_ALL": "C"}


def write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
