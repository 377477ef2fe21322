"""How figures are shown: what the product did, what the limit did, their ratio, and whether it is enough."""

import os
import shlex
import sys
from typing import Final

from bench.load.wrk import Load

_VERDICTS: Final = {True: "ok", False: "MISS"}


class Report:
    """Prints each figure as it comes, and remembers whether all of them were good enough."""

    def __init__(self) -> None:
        self.is_good = True
        print(f"load average {os.getloadavg()[0]:.2f}, {len(os.sched_getaffinity(0))} cores")
        print(f"\n{'':50} {'product':>10} {'limit':>10} {'ratio':>7}  {'wanted':12}")

    def show(
        self,
        what: str,
        product: float,
        wanted: str,
        *,
        good: bool,
        limit: float | None = None,
        unit: str = "",
    ) -> None:
        self.is_good &= good
        beside = "" if limit is None else f"{limit:.{_places(limit)}f}"
        ratio = "" if limit is None else f"{product / limit:.2f}"
        name = f"{what}, {unit}" if unit else what
        figures = f"{product:10.{_places(product)}f} {beside:>10} {ratio:>7}"
        print(f"{name:50} {figures}  {wanted:16} {_VERDICTS[good] if wanted else ''}", flush=True)

    def at_least(
        self, what: str, product: float, least: float | None, *, limit: float, ratio: float, unit: str = "/s"
    ) -> None:
        """A rate: an absolute figure and a share of the limit's."""
        wanted = f">= {ratio} x" if least is None else f">= {least:g}, {ratio} x"
        self.show(
            what,
            product,
            wanted,
            good=product >= (least or 0) and product >= ratio * limit,
            limit=limit,
            unit=unit,
        )

    def beside(self, load: Load, limit: Load) -> None:
        """What there is to know of a load whose rate was shown: times, and the server's share of them."""
        self.show("  p50", load.p50, "", good=True, limit=limit.p50, unit="ms")
        self.show("  p99", load.p99, "", good=True, limit=limit.p99, unit="ms")
        self.show(
            "  processor time of the API, a request",
            load.cpu_us,
            "",
            good=True,
            limit=limit.cpu_us,
            unit="us",
        )

    def at_most(self, what: str, product: float, most: float, *, limit: float, unit: str = "ms") -> None:
        """A time, as a multiple of the limit's."""
        self.show(what, product, f"<= {most:g} x", good=product <= most * limit, limit=limit, unit=unit)

    def end(self) -> None:
        print(f"\nload average {os.getloadavg()[0]:.2f}\nagain: {shlex.join([sys.argv[0], *sys.argv[1:]])}")
        sys.exit(0 if self.is_good else 1)


def _places(number: float) -> int:
    return 0 if number >= 100 else 2 if number >= 1 else 3
