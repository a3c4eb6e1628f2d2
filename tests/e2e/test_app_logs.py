"""paas logs: what an app, the platform and the router say, line by line, whatever an app prints."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from tests.e2e.probe import App
from tests.e2e.server import Server, User, run
from tests.waiting import wait_for

LINE_MAX_BYTES = 65_536
# A write that takes so long is stuck; how long one takes is a figure of the benchmarks.
STUCK_S = 30.0
FLOOD = """
import os
block = b"flood\\n" * 100_000
with open(f"/proc/{os.getppid()}/fd/1", "wb", buffering=0) as pipe:
    left = 60_000_000
    while left > 0:
        left -= pipe.write(block)
print("done")
"""

# A line each millisecond; it answers how long its longest write took.
LOUD = """
import os, time
longest = 0.0
with open(f"/proc/{os.getppid()}/fd/1", "wb", buffering=0) as pipe:
    for number in range(COUNT):
        begun = time.monotonic()
        pipe.write(b"loud %d\\n" % number)
        longest = max(longest, time.monotonic() - begun)
        time.sleep(0.001)
print(longest)
"""
# 20 MB/s for 3 s.
FLOOD_TIMED = """
import os, time
longest, end = 0.0, time.monotonic() + 3
block = b"timed flood\\n" * 16_000
with open(f"/proc/{os.getppid()}/fd/1", "wb", buffering=0) as pipe:
    while time.monotonic() < end:
        left = block
        while left:
            begun = time.monotonic()
            left = left[pipe.write(left):]
            longest = max(longest, time.monotonic() - begun)
        time.sleep(0.01)
print(longest)
"""


def test_lines_are_stamped_and_tagged(probe: App) -> None:
    """stdout and stderr, the platform and the router each have their tag and a time."""
    probe.paas("ps:restart")  # other tests may have filled the log since the last start
    before = datetime.now(UTC)
    probe.post("/out", "a line to stdout\n")
    probe.post("/err", "a line to stderr\n")
    probe.server.get(probe.name, "/some/path?q=1")
    stamp = r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00) "
    out = probe.await_log(stamp + r"app\[web\.1\]: a line to stdout$")
    probe.await_log(stamp + r"app\[web\.1\]: a line to stderr$")
    probe.await_log(stamp + r"paas\[web\.1\]: State changed to up \(v\d+\)$")
    routed = stamp + r'router: method=GET path="/some/path\?q=1" host=probe\.localhost status=200'
    probe.await_log(routed)
    assert before <= datetime.fromisoformat(out[1]) <= datetime.now(UTC)


def test_number_of_lines(probe: App) -> None:
    """-n N shows the last N lines; as JSON, too, each in one line."""
    probe.post("/out", "".join(f"count {number}\n" for number in range(50)))
    probe.await_log("count 49")
    assert len(probe.log(7)) == 7
    both = [json.loads(line) for line in probe.paas("logs", "-n", "2", "--json").splitlines()]
    assert [set(one) for one in both] == [{"at", "source", "process", "text", "release"}] * 2


def test_filters(probe: App) -> None:
    """By process, source, time, text and release, and what is wrong is refused."""
    probe.post("/out", "Needle 1\nneedle 2\n")
    probe.await_log("needle 2")

    def texts(*options: str) -> list[str]:
        lines = probe.paas("logs", "-n", "1000", *options).splitlines()
        return [line.split(" ", 2)[2] for line in lines]

    assert texts("--grep", "needle") == ["Needle 1", "needle 2"]
    assert texts("--grep", "Needle", "-d", "web.1", "-p", "web", "-s", "app") == ["Needle 1"]
    assert texts("--grep", "Needle", "--dyno-name", "web.1", "--process-type", "web") == [
        "Needle 1"
    ]
    assert texts("--grep", "needle", "-p", "worker") == []
    assert texts("--grep", "needle", "--since", "2999-01-01") == []
    assert texts("--grep", "needle", "--since", "1h", "--release", "v1") == ["Needle 1", "needle 2"]
    assert any("State changed to up" in text for text in texts("--release", "v1", "-s", "paas"))
    assert all(text.startswith("method=") for text in texts("-s", "router", "--release", "1"))
    for wrong in (["--since", "soon"], ["-s", "nobody"], ["--release", "new"]):
        refused = probe.server.paas("logs", *wrong, "-a", probe.name, check=False)
        assert refused.returncode == 2


def test_on_a_terminal(alice: User, probe: App) -> None:
    """A laptop reports its own: each process has its color, and a table has headings."""
    probe.post("/out", "in colour\n")
    probe.await_log("in colour")

    def seen(*words: str) -> str:
        command = shlex.join([*words, "-a", probe.name])
        return run([*alice.ssh_argv(), "paas@127.0.0.1", "--", command]).stdout

    colours, out = ("--terminal", "80", "true"), "--stdout-terminal"
    logs = ("logs", "-n", "1", "--grep", "in colour")
    line = r"\x1b\[33m\S+ app\[web\.1\]:\x1b\[0m in colour\n"
    assert re.fullmatch(line, seen(*colours, out, *logs))
    for plain in (colours, (out,)):
        assert "\x1b" not in seen(*plain, *logs)
    assert seen(out, "ps").split()[:2] == ["Instance", "State"]
    assert seen("ps").startswith("web.1")


def test_following_ends_with_its_client(server: Server, alice: User, probe: App) -> None:
    """logs -t shows lines as they come; when the client goes, no process is left behind."""
    before = _all_but_nginx(server)
    argv = [*alice.ssh_argv(), "paas@127.0.0.1", "logs -n 1 -t -a probe"]
    follower = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert follower.stdout is not None
        started = f"follow-{time.time_ns()}"
        follower.stdout.readline()  # a line from before: it follows now
        probe.post("/out", f"{started}\n")
        line = next(line for line in follower.stdout if "app[web.1]" in line)
        assert line.endswith(f"app[web.1]: {started}\n")
    finally:
        follower.kill()
        follower.wait()
    wait_for(lambda: not _all_but_nginx(server) - before, what="the end of what follows")


def _all_but_nginx(server: Server) -> set[int]:
    """The server's processes. Nginx has new workers when something has changed."""
    return {pid for pid, line in server.processes().items() if "nginx" not in line}


def test_control_characters_are_escaped(probe: App) -> None:
    """A line with escape sequences cannot move a reader's cursor."""
    probe.post("/out", b"evil \x1b[2J\x07\x00 caf\xc3\xa9 \xff end\n")
    line = probe.await_log("evil .*")[0]
    assert line == r"evil \x1b[2J\x07\x00 café \xff end"


def test_long_line_is_split(probe: App) -> None:
    """A line of 10 MB arrives in pieces of at most 64 KiB, and the log continues after it."""
    probe.post("/out", b"L" * 10_000_000 + b"\nafter the long line\n")
    probe.await_log("after the long line")
    pieces = [
        len(piece) for line in probe.log(400) for piece in re.findall(r"app\[web\.1\]: (L+)$", line)
    ]
    assert len(pieces) > 100
    assert max(pieces) <= LINE_MAX_BYTES


def test_flood_of_lines_is_capped(probe: App, neighbour: App) -> None:
    """60 MB of lines at once do not block the app that prints them, nor hold up a neighbour."""
    assert probe.python(FLOOD) == "done\n"
    mark = f"meanwhile {time.time_ns()}"
    neighbour.post("/out", f"{mark}\n")
    neighbour.await_log(mark)
    dropped = probe.await_log(r"(\d+) lines \((\d+) bytes\) were dropped")
    assert int(dropped[1]) > 0
    wait_for(lambda: _hears(probe), what="the log after the flood")


def _hears(app: App) -> bool:
    """Whether a line that is printed now gets to the log."""
    mark = f"still here {time.time_ns()}"
    app.post("/out", f"{mark}\n")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if any(mark in line for line in app.log(20)):
            return True
    return False


def test_a_restart_of_the_log_process(server: Server, probe: App) -> None:
    """What an app prints meanwhile is kept, and no write is stuck."""
    program = LOUD.replace("COUNT", "3000")
    with ThreadPoolExecutor(1) as pool:
        printed = pool.submit(probe.python, program)
        former = None
        for _ in range(3):
            time.sleep(0.5)
            former = log_process(server, former)
            os.kill(former, signal.SIGTERM)
        assert float(printed.result()) < STUCK_S
    probe.await_log("loud 2999$")
    lines = probe.paas("logs", "-n", "4000", "--grep", "loud").splitlines()
    assert [line.split()[-1] for line in lines] == [str(number) for number in range(3_000)]
    with ThreadPoolExecutor(1) as pool:
        printed = pool.submit(probe.python, FLOOD_TIMED)
        time.sleep(0.5)
        os.kill(log_process(server, former), signal.SIGKILL)
        assert float(printed.result()) < STUCK_S


def log_process(server: Server, former: int | None) -> int:
    """Its pid, once it runs. former: one that is ending."""
    found: list[int] = []

    def there() -> bool:
        processes = server.processes().items()
        found[:] = [
            pid for pid, line in processes if "entrypoints/logger.py" in line and pid != former
        ]
        return bool(found)

    wait_for(there, what="the log process")
    return found[0]
