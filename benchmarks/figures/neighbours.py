"""The latency of an app while another one misbehaves."""

import time

from benchmarks.alternating import Samples
from benchmarks.bench import Bench
from benchmarks.bystander import load, row
from benchmarks.commands import progress
from benchmarks.loading import Outcome
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target

ROUNDS = 6
# Until the misbehaviour is in full swing.
BEGIN_S = 1.5
APP = "neighbour"
TARGET = Target(Rule.RATIO_AT_MOST, 1.5)
# By process type: what it does.
PROGRAMS = {
    # It begins late, since one that is killed before it has settled fails the command.
    "forks": """
time.sleep(3)
while True:
    try:
        if os.fork() == 0:
            time.sleep(1)
    except OSError:
        pass
""",
    "memory": """
while True:
    if os.fork() == 0:
        taken = []
        while True:
            taken.append(bytearray(16 << 20))
    os.wait()
""",
    "loops": """
for _ in range(7):
    if os.fork() == 0:
        break
while True:
    pass
""",
    "disk": """
while True:
    try:
        with open("/app/filler", "wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError:
        pass
""",
    "log": """
while True:
    print("x" * 200)
""",
    "connections": """
held = []
while True:
    try:
        one = socket.create_connection(("127.0.0.1", int(os.environ["PROXY_PORT"])), 1)
        one.sendall(b"GET / HTTP/1.1\\r\\nHost: ")
        held.append(one)
    except OSError:
        time.sleep(0.01)
        held = held[len(held) // 2 :]
""",
}
_HEAD = "import os, socket, time\n"


class Neighbours:
    """Against the same requests while the other app rests."""

    name = "neighbours"

    def measure(self, bench: Bench) -> list[Row]:
        """One way of misbehaving after the other, each alternating with rest."""
        assert bench.live
        bench.deployed(
            APP,
            {
                "requirements.txt": "",
                "Procfile": "".join(f"{kind}: exec python {kind}.py\n" for kind in PROGRAMS),
                **{f"{kind}.py": _HEAD + program for kind, program in PROGRAMS.items()},
            },
        )
        bench.server.paas("config:set", "-a", APP, f"PROXY_PORT={bench.server.http_port}")
        try:
            return [_row(kind, _measured(bench, kind)) for kind in PROGRAMS]
        finally:
            bench.server.paas("apps:destroy", APP, "--confirm", APP)


def _measured(bench: Bench, kind: str) -> Samples[Outcome]:
    found: Samples[Outcome] = Samples()
    for _ in range(bench.rounds(ROUNDS)):
        wait_for_quiet()
        found.plain.append(load(bench))
        bench.server.paas("ps:scale", "-a", APP, f"{kind}=1")
        try:
            time.sleep(BEGIN_S)
            found.ours.append(load(bench))
        finally:
            bench.server.paas("ps:scale", "-a", APP, f"{kind}=0")
            bench.server.settle(1)
    ours, plain = (
        [round(1000 * one.p99_s, 1) for one in each] for each in (found.ours, found.plain)
    )
    progress(f"       {kind}: p99 {ours} ms, at rest {plain} ms")
    return found


def _row(kind: str, found: Samples[Outcome]) -> Row:
    return row(f"neighbour-{kind}", f"another app's {kind}", found, TARGET)
