"""The same app with the same Gunicorn, started by hand from its own virtual environment."""

import shutil
from pathlib import Path

from benchmarks.commands import ENVIRONMENT, Daemon, run, timed
from benchmarks.server import Server
from benchmarks.web import wait_for_answer
from tests.ports import free_ports

# An unprivileged account that every Debian has.
USER = "nobody"
SYSTEM_PYTHON = "/usr/bin/python3"


class PlainApp:
    """flask-hello in a directory. source: the project whose current files it runs."""

    def __init__(self, server: Server, room: Path, source: Path) -> None:
        self._server = server
        self._room = room
        self._source = source
        self._tree = room / "tree"
        self._cache = room / "uv-cache"
        self._tree.mkdir()
        (self.port,) = free_ports(1)
        self.venv = room / "venv"

    def install(self) -> float:
        """Make the virtual environment, like a first manual deploy; returns its seconds."""
        shutil.rmtree(self.venv, ignore_errors=True)
        env = {
            **ENVIRONMENT,
            **self._server.build_env,
            "UV_CACHE_DIR": str(self._cache),
            "UV_COMPILE_BYTECODE": "1",
        }
        uv = self._server.uv
        make: list[str | Path] = [
            uv,
            "venv",
            "--quiet",
            "--no-config",
            "--python",
            SYSTEM_PYTHON,
            self.venv,
        ]
        fill: list[str | Path] = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            self.venv / "bin/python",
        ]
        fill += ["--requirements", self._source / "requirements.txt"]
        return timed(make, env=env, cwd=self._room) + timed(fill, env=env, cwd=self._room)

    def update(self) -> None:
        """Copy the source's current files."""
        shutil.rmtree(self._tree)
        shutil.copytree(self._source, self._tree, ignore=shutil.ignore_patterns(".git"))

    def command(self) -> list[str]:
        """Its start command, as in the Procfile."""
        _, _, words = (self._source / "Procfile").read_text().strip().partition("web: ")
        program, *arguments = words.split()
        return [str(self.venv / "bin" / program), *arguments]

    def environment(self) -> dict[str, str]:
        """Its environment after the platform's own profile script: workers, address, buffering."""
        profile = self._server.root / "opt/current/buildpacks/python/lib/profile.sh"
        bare = {"PATH": ENVIRONMENT["PATH"], "LANG": "C.UTF-8", "PORT": str(self.port)}
        shown = run(["bash", "-c", f"source {profile}; env -0"], env=bare)
        env = dict(pair.split("=", 1) for pair in shown.split("\0") if pair)
        env |= {"HOME": "/nonexistent", "PYTHONPATH": str(self._tree)}
        env |= {"VIRTUAL_ENV": str(self.venv)}
        env["PATH"] = f"{self.venv}/bin:{ENVIRONMENT['PATH']}"
        for name in ("PORT", "_", "PWD", "SHLVL"):
            env.pop(name, None)
        return env

    @property
    def tree(self) -> Path:
        """The directory it runs in."""
        return self._tree

    def start(self, env: dict[str, str]) -> Daemon:
        """Start it; the caller ends it."""
        log = self._room / "gunicorn.log"
        return Daemon(self.command(), log, env=env, cwd=self._tree, user=USER)

    def wait(self) -> None:
        """Return when it answers."""
        wait_for_answer(self.port, "plain.test")
