"""Python's cyclic garbage collector, for processes that serve."""

import gc
from typing import Final

# By default every 700 new objects are walked, and now and then all there are, while everyone waits: a quarter
# of a second where ten thousand clients are connected, an eighth of the API's time. Neither a closed
# connection nor an answered request leaves cycles worth so much.
_THRESHOLDS: Final = (100_000, 50, 1000)


def tune() -> None:
    """Once, when the process is about to serve: what it has built so far stays, and is not walked again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
