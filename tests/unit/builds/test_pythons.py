"""Fetching the Python that an app asks for, with a stand-in for uv."""

import os
from pathlib import Path

import pytest

from paas.adapters.builds.pythons import provide_python
from paas.settings import Settings

INSTALLED = '#!/bin/sh\necho "$@" > {calls}\numask\necho Installed\n'
UNREACHABLE = "#!/bin/sh\necho \"$@\" > {calls}\necho 'error: dns'\nexit 1\n"


class Server:
    """A server's opt directory, and what was printed."""

    def __init__(self, root: Path, uv: str) -> None:
        self.settings = Settings(opt=root / "opt")
        self.calls = root / "calls"
        self.tree = root / "tree"
        self.cache = root / "cache"
        self.lines: list[bytes] = []
        path = self.settings.paths.current / "venv/bin/uv"
        path.parent.mkdir(parents=True)
        self.settings.paths.pythons.mkdir()
        self.tree.mkdir()
        path.write_text(uv.format(calls=self.calls))
        path.chmod(0o755)

    def provide(self, version: str) -> str:
        """What uv was called with for an app that asks for that version."""
        if version:
            (self.tree / ".python-version").write_text(version)
        provide_python(self.settings, self.tree, self.cache, self.lines.append)
        return self.calls.read_text() if self.calls.exists() else ""


def test_fetches_what_is_missing(tmp_path: Path) -> None:
    """uv gets the version and the shared directory, and makes files that all can read."""
    server = Server(tmp_path, INSTALLED)
    mask = os.umask(0o077)
    try:
        called = server.provide("3.98")
    finally:
        os.umask(mask)
    assert called.startswith("python install ")
    assert called.endswith(f"--install-dir {server.settings.paths.pythons} 3.98\n")
    assert server.lines[1:] == [b"       0022", b"       Installed"]


@pytest.mark.parametrize("asked", ["3.97", "3.97.4", "../../x", "3.98; id"])
def test_fetches_nothing_else(tmp_path: Path, asked: str) -> None:
    """A version that is there, or is none, calls nothing."""
    server = Server(tmp_path, INSTALLED)
    (server.settings.paths.pythons / "cpython-3.97.4-linux-x86_64-gnu").mkdir()
    assert server.provide(asked) == ""
    assert server.lines == []


def test_tells_a_failure(tmp_path: Path) -> None:
    """A failed download is shown and left to the buildpack, which lists what there is."""
    server = Server(tmp_path, UNREACHABLE)
    assert server.provide("3.98")
    assert server.lines[-1] == b"       error: dns"


@pytest.mark.parametrize(("kept", "called"), [("3.98\n", True), ("3.98; id", False), ("", False)])
def test_fetches_what_the_last_build_took(tmp_path: Path, kept: str, called: bool) -> None:
    """An app that asks for none gets the version of its last build back, if that is one."""
    server = Server(tmp_path, INSTALLED)
    (server.cache / "packs/python").mkdir(parents=True)
    (server.cache / "packs/python/version").write_text(kept)
    assert server.provide("").endswith(" 3.98\n") == called


@pytest.mark.parametrize(
    ("content", "called"),
    [
        ('{"_meta": {"requires": {"python_version": "3.98"}}}', True),
        ('{"_meta": {"requires": {"python_version": "--help"}}}', False),
        ('{"_meta": []}', False),
        ("[" * 100_000, False),
    ],
)
def test_fetches_what_pipenv_requires(tmp_path: Path, content: str, called: bool) -> None:
    """Pipfile.lock names a version; one that is none is left to the buildpack."""
    server = Server(tmp_path, INSTALLED)
    (server.tree / "Pipfile.lock").write_text(content)
    assert server.provide("").endswith(" 3.98\n") == called
