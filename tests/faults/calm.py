"""Whether a figure in milliseconds means anything just now."""

import os
import subprocess
import sys
from typing import Final

ALL: Final = 0.9  # of the processors: nobody else is doing much

_SPIN: Final = """
import time
end = time.monotonic() + 1
while time.monotonic() < end: pass
print(time.process_time())
"""


def processor_share() -> float:
    """How much of every processor a program gets that asks for all of them, for a second; 1 at most."""
    programs = [
        subprocess.Popen((sys.executable, "-S", "-c", _SPIN), stdout=subprocess.PIPE)  # noqa: S603 - ours
        for _ in range(os.cpu_count() or 1)
    ]
    return min(1.0, sum(float(program.communicate()[0]) for program in programs) / len(programs))
