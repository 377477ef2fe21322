"""What bin/dev and bin/test stand on: the virtual environment, PostgreSQL and Redis without an installation.

Standard library only, for it runs before anything is installed. This file must stay readable to every
Python, because it is what tells an old one that it is too old.
"""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the one place where an older Python may arrive
    sys.exit(
        "Bellwire needs Python 3.11 or newer, and this is Python " + sys.version.split()[0] + "; "
        "run it with a newer one, for example: python3.12 " + sys.argv[0]
    )
if os.name != "posix":
    sys.exit("Bellwire's scripts need Linux or macOS (on Windows: inside WSL).")
