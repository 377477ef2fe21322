"""`bellwire` as it is typed, with what it says."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from stack.process import processes

ROOT = Path(__file__).parents[3]
TIMEOUT_S = 60


def hears_sigterm(pid: int) -> bool:
    """Whether it has come so far as to have a handler (Linux only)."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


class Command:
    def __init__(self, *arguments: str, environ: Mapping[str, str]) -> None:
        kept = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")
        }
        self.process = subprocess.Popen(  # noqa: S603 - the command under test
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=ROOT,
            env={**kept, "BELLWIRE_LOG_FORMAT": "json", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def wait_for(self, *texts: str) -> str:
        """The first line that has them all."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            running = self.process.poll() is None
            for line in list(self.lines):
                if all(text in line for text in texts):
                    return line
            assert running, f"it ended without saying {texts}:\n{self.said}"
            assert time.monotonic() < deadline, f"it did not say {texts}:\n{self.said}"
            time.sleep(0.02)

    def ended(self) -> int:
        code = self.process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        assert "Traceback" not in self.said
        return code

    def children(self) -> dict[str, int]:
        """The process numbers of serve's parts."""
        return {
            Path(f"/proc/{pid}/cmdline").read_text().split("\0")[-2]: pid
            for pid, parent in processes().items()
            if parent == self.process.pid
        }

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line)
