"""Which Python an app gets if it names none: one that requires-python allows, else the newest.

Once chosen it stays: later builds find it as the version of the last build.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from paas.adapters.builds.pythons import (
    fetch_python,
    has_version_file,
    last_version,
    requested_version,
    system_version,
)
from paas.adapters.builds.untrusted import read_plain_file
from paas.adapters.system import files, subprocesses
from paas.domain.builds.python_versions import Version, fits, parse_version, requirement, text_of
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# The files by which the Python buildpack's bin/detect recognizes an app.
PYTHON_FILES = (
    *("requirements.txt", "pyproject.toml", "uv.lock", "manage.py", "app.py", "main.py", "wsgi.py"),
    *("application.py", "server.py", ".python-version", "runtime.txt", "setup.py", "setup.cfg"),
    *("Pipfile", "Pipfile.lock", "poetry.lock", "pdm.lock", "environment.yml"),
)
PYPROJECT_MAX_BYTES = 1024**2
LIST_LIMIT_S = 20.0
# On a server without internet access, no new download is tried for each new app.
RETRY_S = 24 * 3600.0
DEFAULT_WHY = "the newest that this server has or can fetch, as no version is specified"


def choose_python(
    settings: Settings,
    tree: Path,
    cache: Path,
    output: Callable[[bytes], None],
    check: Callable[[], None],
) -> dict[str, str]:
    """The variables PAAS_PYTHON and PAAS_PYTHON_WHY for the buildpack.

    None if the app asks for a version, has a suitable one from its last build, or is not a
    Python app.

    Downloads a Python if the newest that fits is not installed. Parameters as in `provide_python`.
    """
    if requested_version(tree) or has_version_file(tree) or not _is_python(tree):
        return {}
    requires = requirement(_pyproject(tree))
    last = last_version(cache)
    if last is not None and requires is None:
        return {}  # known without starting each Python to ask for its version
    there = [version for version in installed(settings) if fits(version, requires)]
    if last is not None:
        kept = [version for version in there if text_of(version).startswith(f"{last}.")]
        if kept:
            return _environment(max(kept), "the version of the last build")
    why = DEFAULT_WHY
    if requires is not None:
        why = f"the newest that requires-python in pyproject.toml ({requires}) allows"
    wanted = max((v for v in fetchable(settings) if fits(v, requires)), default=None)
    newest = max(there, default=None)
    is_newer = wanted is not None and (newest is None or wanted[:2] > newest[:2])
    if wanted is not None and is_newer and _fetched(settings, wanted, output, check):
        there = [version for version in installed(settings) if fits(version, requires)]
        newest = max(there, default=None)
    if newest is not None:
        return _environment(newest, why)
    return (
        {}
        if requires is None
        else _environment(None, f"requires-python in pyproject.toml ({requires})")
    )


def installed(settings: Settings) -> list[Version]:
    """Those of the system and of uv's directory."""
    names = [path.name.split("-")[1] for path in settings.paths.pythons.glob("cpython-3.*-linux-*")]
    system = [path for path in Path("/usr/bin").glob("python3.*") if path.name[8:].isdecimal()]
    for path in system:
        with suppress(PaasError):  # one that does not start
            names.append(system_version(path))
    return [version for version in map(parse_version, names) if version is not None]


def fetchable(settings: Settings) -> list[Version]:
    """The newest of each minor version that uv can fetch; uv knows them without the network."""
    try:
        ended = subprocesses.run(
            [
                settings.paths.current / "venv/bin/uv",
                *("python", "list", "--only-downloads", "--output-format", "json", "--no-config"),
            ],
            description="Asking uv for the Pythons that there are",
            timeout_s=LIST_LIMIT_S,
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **settings.build_env},
            cwd=Path("/"),
        )
        rows = json.loads(ended.output)
        names = [
            str(row["version"])
            for row in rows
            if row["implementation"] == "cpython" and row.get("variant", "default") == "default"
        ]
    except (PaasError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return [version for version in map(parse_version, names) if version is not None]


def _fetched(
    settings: Settings,
    version: Version,
    output: Callable[[bytes], None],
    check: Callable[[], None],
) -> bool:
    """Fetch the newest of a minor version, unless that failed lately."""
    minor = f"3.{version[1]}"
    failed = settings.paths.pythons / f".not-fetched-{minor}"
    if failed.exists() and time.time() - failed.stat().st_mtime < RETRY_S:
        return False
    if fetch_python(settings, minor, output, check, retries=1):
        return True
    if settings.paths.pythons.is_dir():
        files.write_atomic(failed, b"", mode=0o644, durable=False)
    return False


def _environment(version: Version | None, why: str) -> dict[str, str]:
    return {"PAAS_PYTHON": text_of(version) if version else "", "PAAS_PYTHON_WHY": why}


def _is_python(tree: Path) -> bool:
    return any((tree / name).is_file() for name in PYTHON_FILES)


def _pyproject(tree: Path) -> str:
    content = read_plain_file(tree, "pyproject.toml", PYPROJECT_MAX_BYTES) or b""
    return content.decode("utf-8", "replace")
