"""install.sh for servers whose installation is not what a test is about.

The version directory of the checkout, with its venv and bytecode, is made once in a test run; each
server gets hard links to its files, and copies of those that another source tree has changed.
Everything else is the installer's own.

Usage: prepared_install.py CHECKOUT SOURCE OPTION...
"""

import fcntl
import filecmp
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path


def main(checkout: str, source: str, argv: list[str]) -> int:
    """As install.sh of the source tree with these options."""
    sys.path[:0] = [source, checkout]
    from paas.entrypoints.installer import versions
    from paas.entrypoints.installer.main import main as install
    from paas.entrypoints.installer.plan import Plan
    from tests.run_directory import run_directory

    def make_version(plan: Plan) -> Path:
        prepared = run_directory() / "prepared"
        prepared.mkdir(exist_ok=True)
        shelf = replace(plan, source=checkout, root=str(prepared))
        with (prepared / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = list(prepared.glob("opt/versions/*/complete"))
            made = done[0].parent if done else versions.install_version(shelf)
        version = versions.new_directory(plan.paths.versions)
        _link(made, version)
        if source != checkout:
            _copy_changed(Path(source), version, (*versions.CODE, *versions.FILES))
        (path,) = version.glob("venv/lib/python3*/site-packages/paas.pth")
        path.unlink()
        path.write_text(f"{version}\n")
        return version

    return install(source, argv, make_version)


def _link(made: Path, version: Path) -> None:
    """Hard links, or on another disk copies."""
    how = "-al" if made.stat().st_dev == version.stat().st_dev else "-a"
    subprocess.run(["cp", how, "--", f"{made}/.", str(version)], check=True)


def _copy_changed(source: Path, version: Path, names: tuple[str, ...]) -> None:
    """The files of source that differ; a link is replaced, not written through."""
    for name in names:
        for path in (source / name, *(source / name).rglob("*")):
            target = version / path.relative_to(source)
            if path.is_file() and not filecmp.cmp(path, target):
                target.unlink()
                shutil.copy2(path, target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
