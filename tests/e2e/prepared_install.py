"""install.sh for servers whose installation is not what a test is about.

The version directory, with its venv and bytecode, is made once in a test run; each server gets hard
links to its files. Everything else is the installer's own.

Usage: prepared_install.py SOURCE OPTION...
"""

import fcntl
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path


def main(source: str, argv: list[str]) -> int:
    """As install.sh of the source tree with these options."""
    sys.path.insert(0, source)
    from paas.entrypoints.installer.main import main as install
    from paas.entrypoints.installer.plan import Plan
    from paas.entrypoints.installer.versions import install_version
    from tests.run_directory import run_directory

    def make_version(plan: Plan) -> Path:
        prepared = run_directory() / "prepared"
        prepared.mkdir(exist_ok=True)
        shelf = replace(plan, root=str(prepared))
        with (prepared / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = list(prepared.glob("opt/versions/*/complete"))
            made = done[0].parent if done else install_version(shelf)
        version = plan.paths.versions / "1"
        shutil.copytree(made, version, symlinks=True, copy_function=_link)
        (path,) = version.glob("venv/lib/python3*/site-packages/paas.pth")
        path.unlink()
        path.write_text(f"{version}\n")
        return version

    return install(source, argv, make_version)


def _link(source: str, target: str) -> None:
    """A hard link, or on another disk a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
