"""The command line of the HTTP benches."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bench.load import wrk

DESCRIPTION: Final = """
Starts a PostgreSQL that waits for its disk, a Valkey and one API process of its own, seeds them, and drives
the API with wrk. Prints the product's figure, the limit's, their ratio and what is wanted. The limit is the
same server answering a constant to the same requests, or what the line says. Exits with 1 where a figure
misses.
"""


def run(name: str, measure: Callable[[argparse.Namespace], Awaitable[None]]) -> None:
    parser = argparse.ArgumentParser(prog=name, description=DESCRIPTION)
    parser.add_argument("--seconds", type=float, default=5, help="of each load (%(default)s)")
    options = parser.parse_args()
    wrk.check_installed()

    async def main() -> None:
        await measure(options)

    asyncio.run(main())
