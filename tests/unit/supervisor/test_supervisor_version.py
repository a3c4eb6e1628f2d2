"""The version of supervisor that is installed is the one whose inside the platform changes."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[3]
# Written after the sources of this minor version.
WRITTEN_FOR = "4.3"


def test_the_changes_inside_supervisord_fit_its_version() -> None:
    """They replace methods that a release may rename, and no other test may notice."""
    installed = ".".join(version("supervisor").split(".")[:2])
    uses = re.compile(r"^(from|import) supervisor\b", re.MULTILINE)
    files = sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / "paas").rglob("*.py")
        if uses.search(path.read_text())
    )
    assert files
    assert installed == WRITTEN_FOR, (
        f"supervisor {installed} is installed, and these files change the inside of {WRITTEN_FOR}: "
        f"{', '.join(files)}. Compare supervisord.py, options.py, process.py and poller.py of both "
        "versions, mend these files, then set WRITTEN_FOR here and the pin in pyproject.toml."
    )


def test_no_other_minor_version_is_installed() -> None:
    """The requirement ends before the next one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["optional-dependencies"]["server"]
    major, minor = map(int, WRITTEN_FOR.split("."))
    assert f"supervisor>={WRITTEN_FOR},<{major}.{minor + 1}" in requirements
