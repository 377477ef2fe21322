"""Importing subscribers, one JSON object a line, as they arrive: what is held at a time is bounded."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.contract import bodies
from app.contract.errors import InvalidRequest
from app.contract.requests import ImportLine
from app.contract.resources import BadLine, Imported
from app.services.subscribers import Subscribers

MOST_LINES: Final = 100_000
MOST_ERRORS: Final = 1_000
BATCH: Final = 1_000
MOST_BYTES: Final = 8_192  # of a line: more than any id needs, however it is escaped
_BLANK: Final = b" \t\r"
_LINE: Final = msgspec.json.Decoder(ImportLine)


class Imports:
    def __init__(self, subscribers: Subscribers) -> None:
        self._subscribers = subscribers

    async def run(
        self, environment_id: UUID, chunks: AsyncIterable[bytes], *, confirm: Callable[[], Awaitable[None]]
    ) -> Imported:
        """Creates those that are missing, 1 000 lines to a commit.

        chunks: lines, cut anywhere. confirm: asked before each commit.

        Raises Unavailable, and what chunks and confirm raise; what was committed by then stays.
        """
        lines, sheet = _Lines(), _Sheet()
        async for chunk in chunks:
            for number, line in lines.cut(chunk):
                sheet.add(number, line)
                if sheet.is_batch:
                    await confirm()
                    await self._commit(environment_id, sheet)
            if sheet.is_full:
                break
        else:
            for number, line in lines.end():
                sheet.add(number, line)
        await confirm()
        await self._commit(environment_id, sheet)
        return Imported(sheet.created, sheet.existing, sheet.errors)

    async def _commit(self, environment_id: UUID, sheet: "_Sheet") -> None:
        rows = sheet.take()
        created = await self._subscribers.insert(environment_id, rows) if rows else 0
        sheet.created += created
        sheet.existing += len(rows) - created


class _Lines:
    """Cuts chunks into numbered physical lines; of one that is too long it keeps enough to tell."""

    def __init__(self) -> None:
        self._number = 1
        self._rest = b""

    def cut(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """The lines that end in this chunk, blank ones left out."""
        first, *others = chunk.split(b"\n")
        self._rest = (self._rest + first)[: MOST_BYTES + 1]
        for other in others:
            if self._rest.strip(_BLANK):
                yield self._number, self._rest
            self._number += 1
            self._rest = other
        self._rest = self._rest[: MOST_BYTES + 1]

    def end(self) -> Iterator[tuple[int, bytes]]:
        """The last line, where no newline ends it."""
        yield from self.cut(b"\n")


class _Sheet:
    """What has come of the lines so far, and what waits to be committed."""

    def __init__(self) -> None:
        self.created = 0
        self.existing = 0
        self.errors: list[BadLine] = []
        self._lines = 0
        self._rows: list[tuple[str, datetime | None]] = []

    @property
    def is_batch(self) -> bool:
        return self._lines % BATCH == 0

    @property
    def is_full(self) -> bool:
        return self._lines > MOST_LINES

    def add(self, number: int, line: bytes) -> None:
        if self.is_full:
            return
        self._lines += 1
        if self.is_full:
            del self.errors[MOST_ERRORS - 1 :]  # there is always room for this one
            self.errors.append(BadLine(number, f"an import has at most {MOST_LINES} lines: it ended here"))
            return
        try:
            person = _decode(line)
        except InvalidRequest as error:
            if len(self.errors) < MOST_ERRORS:
                self.errors.append(BadLine(number, error.message))
        else:
            self._rows.append((person.subscriber_id, person.created_at))

    def take(self) -> list[tuple[str, datetime | None]]:
        """The rows that wait; from now on none do."""
        rows, self._rows = self._rows, []
        return rows


def _decode(line: bytes) -> ImportLine:
    """Raises InvalidRequest."""
    if len(line) > MOST_BYTES:
        raise InvalidRequest(f"the line must be at most {MOST_BYTES} bytes")
    return bodies.decode(line, _LINE, "the line")
