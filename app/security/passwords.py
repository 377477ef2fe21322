"""Passwords of administrators: Argon2id in threads of its own, a bounded number at a time."""

import asyncio
import base64
import secrets
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from app.contract.errors import Unavailable

T = TypeVar("T")

AT_ONCE: Final = 2  # each takes 64 MiB and some 0.1 s of every core
MOST_WAITING: Final = 50
_HASHER: Final = PasswordHasher()  # RFC 9106, for where memory is scarce


def _hash_of_nobody() -> str:
    """What no password matches, at the cost of one that might."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (_HASHER.salt_len, _HASHER.hash_len)
    )
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


_NOBODY: Final = _hash_of_nobody()


class Passwords:
    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._waiting = 0

    @classmethod
    @contextmanager
    def open(cls) -> Generator["Passwords"]:
        threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        try:
            yield cls(threads)
        finally:
            threads.shutdown(cancel_futures=True)

    async def hash(self, password: str) -> str:
        """What to store, salt and parameters included. Raises Unavailable."""
        return await self._run(lambda: _HASHER.hash(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """stored: None for a user who does not exist: as slow, and never true. Raises Unavailable."""
        return await self._run(lambda: _matches(password, stored or _NOBODY))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too many log-ins at once; try again shortly")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _matches(password: str, stored: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except VerifyMismatchError:
        return False
