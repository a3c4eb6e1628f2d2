"""Gives a command a terminal of its own, and becomes it: for the client of a container's terminal.

``attach.py PROGRAM ARGUMENTS...``; descriptor 0 is the socket of launcher/terminal.py.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from paas.entrypoints.launcher.terminal import take

if __name__ == "__main__":
    take(0)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - there is no shell to start
