"""Heroku's own CLI for the tests, from npm, in one version.

As a program it installs it: run before the tests, which run side by side. It is 400 MB, so it is
kept outside the checkout, for all checkouts.
"""

import fcntl
import os
import subprocess
from pathlib import Path

VERSION = "11.10.0"
INSTALL_LIMIT_S = 900


def installed() -> Path:
    """The directory with the program ``heroku``; what is there already is left alone."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    where = cache / "paas-tests" / f"heroku-{VERSION}"
    where.mkdir(parents=True, exist_ok=True)
    with (where / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = where / "done"
        if not done.exists():
            subprocess.run(
                [
                    *("npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save"),
                    *("--ignore-scripts", "--prefix", str(where), f"heroku@{VERSION}"),
                ],
                check=True,
                timeout=INSTALL_LIMIT_S,
            )
            done.touch()
    return where / "node_modules" / ".bin"


if __name__ == "__main__":
    installed()
