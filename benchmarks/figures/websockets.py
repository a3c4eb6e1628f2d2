"""A thousand WebSockets while their app is redeployed."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.client import MARK
from benchmarks.commands import ENVIRONMENT, BenchError
from benchmarks.loading import LoadProcess
from benchmarks.rows import Row, Rule, Target

COUNT = 1000
RATE = 50.0
PROGRAM = Path(__file__).parents[1] / "sockets.py"
APP = "sockets"
# uvicorn's own echo, without a framework.
CODE = """\
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
    else:
        body = b"Hello PAGE\\n"
        head = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})
""".replace("PAGE", MARK)
FILES = {
    "app.py": CODE,
    "requirements.txt": "uvicorn\nwebsockets\n",
    "Procfile": "web: uvicorn app:app --host 127.0.0.1 --port $PORT\n",
}


@dataclass(frozen=True, slots=True)
class Ends:
    """How many ended in which way, and how long they lasted."""

    ends: dict[str, int]
    shortest_s: float
    longest_s: float

    @property
    def lost(self) -> int:
        """Those that neither stayed open nor were closed with a close frame."""
        fine = ("lived", "closed with 1001", "closed with 1012")
        return sum(number for end, number in self.ends.items() if end not in fine)

    @property
    def words(self) -> str:
        """In one sentence."""
        ends = ", ".join(f"{number} {end}" for end, number in sorted(self.ends.items()))
        return f"{ends}, after {self.shortest_s:.0f} to {self.longest_s:.0f} s"


class WebSockets:
    """Each stays open until the drain limit and is then closed cleanly; no request is lost."""

    name = "websockets"

    def measure(self, bench: Bench) -> list[Row]:
        """Open all, push, wait until the former release is gone."""
        server, host = bench.server, bench.server.host(APP)
        repository = bench.deployed(APP, FILES)
        others = server.instances() - 1
        with LoadProcess(server.http_port, host, rate=RATE) as load:
            holding = _hold(server.http_port, host)
            begun = time.monotonic()
            (repository.path / "app.py").write_text(f"{CODE}# Changed.\n")
            repository.save("Second")
            took_s = repository.push(server.git_url(APP))
            server.settle(others + 1)
            drained_s = time.monotonic() - begun
            ends = _end(holding)
        server.paas("apps:destroy", APP, "--confirm", APP)
        server.settle(others)
        note = f"{COUNT} through a push of {took_s:.1f} s: {ends.words}; the former release was "
        note += f"gone after {drained_s:.0f} s; requests meanwhile: {load.outcome.words}"
        return [
            _row("websockets", f"WebSockets lost, of {COUNT}, over a redeploy", ends.lost, note),
            _row("websockets-requests", "requests failed meanwhile", load.outcome.failed, ""),
        ]


def _row(name: str, title: str, value: int, note: str) -> Row:
    return Row(name, title, "", value, None, Target(Rule.VALUE_AT_MOST, 0), note=note)


def _hold(port: int, host: str) -> subprocess.Popen[str]:
    argv = ["/usr/bin/python3", "-I", "-B", str(PROGRAM)]
    argv += ["--port", str(port), "--host", host, "--count", str(COUNT)]
    process = subprocess.Popen(
        ["prlimit", "--nofile=8192", *argv],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    if process.stderr.readline() != "ready\n":
        process.kill()
        raise BenchError("The WebSockets could not be opened.")
    return process


def _end(process: subprocess.Popen[str]) -> Ends:
    process.terminate()
    output, errors = process.communicate(timeout=60)
    if process.returncode:
        raise BenchError(f"The program that holds the WebSockets failed:\n{errors}")
    return Ends(**json.loads(output))
