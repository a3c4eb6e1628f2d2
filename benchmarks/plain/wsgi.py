"""One small Flask app that several application servers run in turn on the same port."""

from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.commands import ENVIRONMENT, Daemon, run
from benchmarks.plain.app import SYSTEM_PYTHON, USER, PlainApp
from benchmarks.web import wait_for_answer

# /wait simulates an app that waits 10 ms for a database or another service.
APP = """\
import time

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello():
    return "Hello!"


@app.get("/wait")
def wait():
    time.sleep(0.01)
    return "Waited."
"""
REQUIREMENTS = "flask\ngunicorn\ngranian\n"


class WsgiApp:
    """The app in its own virtual environment, with Gunicorn and Granian."""

    def __init__(self, bench: Bench) -> None:
        source = bench.folder("wsgi-source")
        (source / "app.py").write_text(APP)
        (source / "requirements.txt").write_text(REQUIREMENTS)
        self._bench = bench
        self._room = bench.folder("wsgi")
        self._plain = PlainApp(bench.server, self._room, source)
        self._plain.install()
        self._plain.update()
        # The variables of the platform's own profile script: workers, address.
        self._env = {**self._plain.environment(), "PORT": str(self.port)}

    @property
    def port(self) -> int:
        """The port on which each of them listens."""
        return self._plain.port

    def found(self, server: str) -> str:
        """The command that the Python buildpack finds for an app without a Procfile."""
        pack = self._bench.server.root / "opt/current/buildpacks/python"
        words: list[str | Path] = ["-I", "-S", pack / "lib/find_app.py", self._plain.tree, server]
        return run([SYSTEM_PYTHON, *words]).partition("\n")[0]

    def start(self, command: str) -> Daemon:
        """Start it with that command, and wait until it answers; the caller ends it."""
        argv = ["bash", "-c", f"exec {command}"]
        env = {**ENVIRONMENT, **self._env}
        daemon = Daemon(argv, self._room / "server.log", env=env, cwd=self._plain.tree, user=USER)
        wait_for_answer(self.port, "plain.test")
        return daemon
