"""Loopback ports for servers of our own, and addresses given by the user."""

import errno
import random
import socket
from dataclasses import dataclass
from typing import Final, Self

from stack.errors import StackError

LOOPBACK: Final = "127.0.0.1"

# Below the range from which systems take the local ports of outgoing connections: a client that keeps trying
# to reach a stopped server there would one day be given the very port and connect to itself.
_OWN_PORTS: Final = range(20_000, 32_000)


def free_port() -> int:
    for port in random.sample(_OWN_PORTS, 200):
        if is_free(LOOPBACK, port):
            return port
    raise StackError(f"No free port between {_OWN_PORTS.start} and {_OWN_PORTS.stop}.")


def is_free(host: str, port: int) -> bool:
    try:
        _try_to_bind(host, port)
    except OSError:
        return False
    return True


def _try_to_bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


@dataclass(frozen=True)
class Listen:
    """An address to listen on: `HOST:PORT`, or `[HOST]:PORT` for IPv6."""

    variable: str
    host: str
    port: int

    @classmethod
    def parse(cls, variable: str, text: str) -> Self:
        host, colon, port = text.rpartition(":")
        if not (colon and port.isascii() and port.isdigit() and int(port) < 65_536):
            raise StackError(f"{variable}={text} is not an address; expected HOST:PORT, as in 127.0.0.1:80.")
        return cls(variable, host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port))  # noqa: S104

    def __str__(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def reachable(self) -> str:
        """How a client on this machine spells it."""
        everywhere = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - spelled for clients, not bound
        return f"{_bracketed(everywhere.get(self.host, self.host))}:{self.port}"

    def resolved(self) -> "Listen":
        """This address if it can be had; port 0 becomes a free one."""
        if self.port == 0:
            return Listen(self.variable, self.host, free_port())
        try:
            _try_to_bind(self.host, self.port)
        except OSError as error:
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise StackError(
                f"Port {self.port} on {self.host} {reason}: choose another with {self.variable}=HOST:PORT."
            ) from error
        return self


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
