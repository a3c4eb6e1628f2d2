"""The Pythons that apps ask for: fetched with uv, as root, into a directory that all apps can read.

A build cannot do it itself: it runs as the app's uid, and one app must not run what another app
installed.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from paas.adapters.builds.untrusted import read_plain_file
from paas.adapters.system import subprocesses
from paas.domain.values.errors import PaasError
from paas.domain.values.plain_text import EncodingError, plain_text
from paas.settings import Settings

VERSION_FILES = (("runtime.txt", "python-"), (".python-version", ""))
FILE_MAX_BYTES = 1_000
LOCK_MAX_BYTES = 4 * 1024**2
DOWNLOAD_LIMIT_S = 180.0
_MINOR_VERSION = re.compile(r"3\.(?:[89]|[1-9][0-9])")
_VERSION = r"3\.(?:[89]|[1-9][0-9])(?:\.(?:0|[1-9][0-9]?))?"


def provide_python(
    settings: Settings,
    tree: Path,
    cache: Path,
    output: Callable[[bytes], None],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Install the Python that the app's tree asks for, if the server does not have it.

    cache: the app's, which records what its last build used; that is kept if the app asks for none.
    A failure is only reported: the buildpack then ends the build and lists the available versions.
    check: called several times a second; what it raises ends the download, and is raised. Files
    that are malformed are left to the buildpack's own messages.
    """
    version = requested_version(tree) or last_version(cache)
    if version is not None and not is_available(settings, version):
        fetch_python(settings, version, output, check)


def fetch_python(
    settings: Settings,
    version: str,
    output: Callable[[bytes], None],
    check: Callable[[], None] = lambda: None,
    *,
    retries: int | None = None,
) -> bool:
    """Have uv install a version (N.N or N.N.N) for all apps; returns whether it could.

    retries: how often uv tries again if the network fails; None: uv's default. A number is for a
    version that nobody asked for: a failure is then reported in one line.
    """
    output(f"-----> Fetching Python {version}, which this server does not have yet".encode())
    argv: list[str | Path] = [
        settings.paths.current / "venv/bin/uv",
        *("python", "install", "--no-cache", "--no-config", "--no-bin", "--no-progress"),
        *("--install-dir", settings.paths.pythons, version),
    ]
    lines: list[bytes] = []
    # Every app must be able to read it, whatever the gate's own mask.
    former_mask = os.umask(0o022)
    try:
        ended = subprocesses.run(
            argv,
            description=f"Fetching Python {version}",
            timeout_s=DOWNLOAD_LIMIT_S,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": "/nonexistent",
                **({} if retries is None else {"UV_HTTP_RETRIES": str(retries)}),
                **settings.build_env,
            },
            cwd=Path("/"),
            on_line=lines.append,
            check=False,
            interrupt=check,
        )
    except PaasError as error:
        check()
        output(f" !     {error.report}".encode())
        return False
    finally:
        os.umask(former_mask)
    if not ended.ok and retries is not None:
        reason = (
            (lines or [b"no reason is given"])[-1]
            .decode("utf-8", "replace")
            .strip()
            .removeprefix("cause: ")
        )
        output(f"       It cannot be fetched ({reason}), and is not needed".encode())
        return False
    for line in lines if ended.ok else lines[-6:]:
        output(b"       " + line)
    return ended.ok


def has_version_file(tree: Path) -> bool:
    """Whether the app has a file that names a version, well-formed or not."""
    return any(os.path.lexists(tree / name) for name, _ in VERSION_FILES)


def requested_version(tree: Path) -> str | None:
    """The version in the app's runtime.txt or .python-version; None without a well-formed one.

    Never follows a symbolic link, which could point out of the tree.
    """
    for name, prefix in VERSION_FILES:
        content = read_plain_file(tree, name, FILE_MAX_BYTES)
        if content is None:
            continue
        try:
            text = plain_text(content)
        except EncodingError:
            return None  # the buildpack says so
        lines = [line.strip() for line in text.split("\n")]
        lines = [line for line in lines if line and not line.startswith("#")]
        if len(lines) == 1:
            found = re.fullmatch(re.escape(prefix) + f"({_VERSION})", lines[0])
            return found[1] if found else None
        return None
    return _pipenv_version(tree)


def _pipenv_version(tree: Path) -> str | None:
    """The version that Pipfile.lock requires."""
    content = read_plain_file(tree, "Pipfile.lock", LOCK_MAX_BYTES)
    if content is None:
        return None
    try:
        requires = json.loads(content)["_meta"]["requires"]
        asked = requires.get("python_full_version") or requires.get("python_version")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return asked if isinstance(asked, str) and re.fullmatch(_VERSION, asked) else None


def last_version(cache: Path) -> str | None:
    """The version (N.N) of the app's last build, which the buildpack keeps in its cache."""
    content = read_plain_file(cache / "packs" / "python", "version", FILE_MAX_BYTES) or b""
    text = content.decode("ascii", "replace").strip()
    return text if _MINOR_VERSION.fullmatch(text) else None


def is_available(settings: Settings, version: str) -> bool:
    """Whether the system or uv's directory has that version (N.N or N.N.N)."""
    minor = ".".join(version.split(".")[:2])
    system = Path(f"/usr/bin/python{minor}")
    if system.exists() and (version == minor or system_version(system) == version):
        return True
    pattern = f"cpython-{version}-linux-*" if version != minor else f"cpython-{minor}.*-linux-*"
    return any(settings.paths.pythons.glob(pattern))


def system_version(python: Path) -> str:
    """``3.11.2``"""
    ended = subprocesses.run(
        [python, "-V"], description=f"Asking {python} for its version", timeout_s=10, env={}
    )
    return ended.output.decode("ascii", "replace").strip().removeprefix("Python ")
