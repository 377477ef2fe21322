"""Log lines: for people in a terminal, JSON elsewhere. Nothing secret is ever handed to a logger."""

import logging
import math
import sys
import time
from typing import Final

import structlog

_SHARED: Final[list[structlog.typing.Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(*, log_format: str, level: str) -> None:
    """Sends our own lines and those of libraries the same way. log_format: text or json."""
    json = log_format == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=0,
            # The default shows local variables, secrets and payloads among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    tracebacks: list[structlog.typing.Processor] = [structlog.processors.format_exc_info] if json else []
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *tracebacks,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Libraries are heard when something is wrong; uvicorn's access log would repeat query strings.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "websockets", "asyncio", "httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    # It warns of every attempt at every batch that a collector does not take, and then says that it gave up.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)


def one_line(error: BaseException) -> str:
    """What it is, and the first line of what it says."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


class Seldom:
    """For what may happen a thousand times a second and is worth a line every few."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last = -math.inf
        self._times = 0

    def times(self) -> int | None:
        """How often it happened since the last line, this time included; None where no line is due."""
        self._times += 1
        now = time.monotonic()
        if now - self._last < self._every_s:
            return None
        self._last = now
        times, self._times = self._times, 0
        return times
