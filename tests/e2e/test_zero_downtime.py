"""No request is lost, whatever happens to the app or the platform under load."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.e2e.probe import App
from tests.e2e.server import CHECKOUT, DOMAIN, EXAMPLES, Repository, Server, User, run

GENERATOR = CHECKOUT / "benchmarks/load.py"
RACE = "idle-close race"
RATE = 100
KEPT = 20
# A busy machine answers late, and loses nothing: what is late holds up the next request.
PATIENT = ("--most", "20", "--timeout-s", "120")
MARK = "zero"


@dataclass(slots=True)
class Outcomes:
    """What became of the requests, by kind; there once the load has ended."""

    fresh: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)


def start(server: Server, rate: int, *options: str, app: str = MARK) -> "subprocess.Popen[str]":
    """A generator that has begun."""
    host = f"{app}.{DOMAIN}:{server.http_port}"
    argv = [sys.executable, "-I", "-B", str(GENERATOR), "--port", str(server.http_port)]
    argv += ["--host", host, "--rate", str(rate), "--expect", MARK, *PATIENT, *options]
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    return process


def end(process: "subprocess.Popen[str]") -> dict[str, int]:
    """Let the generator end; its counts."""
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    counts: dict[str, int] = json.loads(output)["outcomes"]
    return counts


@contextmanager
def load(server: Server, app: str = MARK) -> Iterator[Outcomes]:
    """Up to 100 new connections a second, and 50 requests a second over kept ones, meanwhile."""
    outcomes = Outcomes()
    fresh = start(server, RATE, app=app)
    kept = start(server, 50, "--kept", str(KEPT), app=app)
    try:
        yield outcomes
        outcomes.fresh, outcomes.kept = end(fresh), end(kept)
    finally:
        for process in (fresh, kept):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def zero(alice: User) -> tuple[App, Repository]:
    """A Flask app under load."""
    repository = Repository.of(alice.server.scratch / "zero.work", EXAMPLES / "flask-hello")
    repository.commit({"app.py": page(0)})
    alice.push(repository, "zero")
    return App(alice.server, "zero"), repository


def page(number: int) -> str:
    """The app's source, in that version."""
    text = (EXAMPLES / "flask-hello/app.py").read_text()
    return text.replace("from Flask!", f"from Flask, {MARK} {number}!")


def test_no_request_fails(server: Server, alice: User, zero: tuple[App, Repository]) -> None:
    """Three redeploys, three config changes, a restart, scaling and an upgrade lose nothing."""
    app, repository = zero
    with load(server) as outcomes:
        for number in (1, 2, 3):
            repository.commit({"app.py": page(number)})
            alice.push(repository, "zero")
            assert f"zero {number}!" in server.get("zero").text
        for greeting in ("One", "Two", "Three"):
            alice.ssh("config:set", "-a", "zero", f"GREETING={greeting}")
            assert server.get("zero").text.startswith(greeting)
        alice.ssh("ps:restart zero")
        alice.ssh("ps:scale zero web=2")
        assert len(app.ps()) == 2
        alice.ssh("ps:scale zero web=1")
        before = listeners(app)
        server.install("--quiet")
        assert "gunicorn" in before
        assert listeners(app) == before
    assert set(outcomes.fresh) == {"ok"}, outcomes.fresh
    assert set(outcomes.kept) <= {"ok", RACE}, outcomes.kept
    assert outcomes.fresh["ok"] > RATE
    assert outcomes.kept["ok"] > KEPT
    assert few_races(outcomes)


def few_races(outcomes: Outcomes) -> bool:
    """Requests that met the end of their idle connection: one of a hundred, or one of each."""
    return outcomes.kept.get(RACE, 0) <= max(outcomes.kept["ok"] / 100, KEPT)


def listeners(app: App) -> str:
    """The processes that listen on the port of web.1, as ss tells; without its queues."""
    lines = run(["ss", "-Hltnp", f"sport = :{app.port()}"]).stdout.splitlines()
    return "\n".join(" ".join(line.split()[3:]) for line in lines)
