"""How much to take at once: what becomes due meanwhile, for somebody else, waits for the batch under way."""

from typing import Final

BATCH_S: Final = 0.05  # how long a batch should take
_LEAST: Final = 20  # jobs; with fewer, what a batch costs whatever is in it would be most of it


class Pace:
    """size: jobs to take in the next batch; `most` as long as that takes no longer than it should."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = most

    def took(self, seconds: float) -> None:
        """So long did a batch of that size take, or one for which there was less to do."""
        self.size = max(_LEAST, int(min(self._most, self.size * BATCH_S / seconds)))
