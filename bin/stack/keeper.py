"""Starts a server again that died, unless it had only just been started."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from stack.errors import StackError
from stack.progress import note, step
from stack.supervisor import EmbeddedServer

SETTLED_S: Final = 5  # one that ends sooner has a reason that another start would not cure
_ATTEMPTS: Final = 5
_PAUSE_S: Final = 1


class Keeper:
    """Of servers that have just been started."""

    def __init__(self, servers: Sequence[EmbeddedServer]) -> None:
        self._started_at = dict.fromkeys(servers, time.monotonic())

    def look(self) -> None:
        """Raises StackError where one cannot be kept alive."""
        for server, started_at in self._started_at.items():
            if server.running:
                continue
            if time.monotonic() - started_at < SETTLED_S:
                raise StackError(f"{server.name} ended; {server.log} may say why.")
            note(f"{server.name} ended unexpectedly")
            with step(f"starting {server.name} again"):
                _start(server)
            self._started_at[server] = time.monotonic()


def _start(server: EmbeddedServer) -> None:
    """On the same port, with the same data, which the rest of a killed PostgreSQL may still be leaving."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(StackError):
            server.start()
            return
        time.sleep(_PAUSE_S)
    server.start()
