"""What a process's log says of a database that is away."""

from typing import Final

import structlog

from app.contract.errors import Unavailable
from app.logs import Seldom

log = structlog.stdlib.get_logger()

REMIND_S: Final = 30.0


class Outage:
    """One line when the first of those who need the database finds it away, one now and then while it is,
    and one when all of them had an answer again.
    """

    def __init__(self) -> None:
        self._waiting: set[object] = set()
        self._seldom = Seldom(REMIND_S)

    def met(self, by: object, error: Unavailable) -> None:
        self._waiting.add(by)
        if times := self._seldom.times():
            cause = type(error.__cause__).__name__ if error.__cause__ is not None else None
            log.warning("the database (DATABASE_URL) is away", reason=error.message, error=cause, times=times)

    def over(self, by: object) -> None:
        """Its statement went through. Fine for who never met one."""
        if by in self._waiting:
            self._waiting.remove(by)
            if not self._waiting:
                self._seldom = Seldom(REMIND_S)  # another outage is said at once
                log.info("the database is back")
