"""``paas run`` with a terminal: it feels like ssh, and nothing of it is left."""

import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.console import Console, console
from tests.e2e.probe import App, push
from tests.e2e.server import CHECKOUT, Server, User
from tests.e2e.test_isolation import host_pids
from tests.e2e.tiny import app_id
from tests.waiting import wait_for

Enter = Callable[..., list[str]]


@pytest.fixture(scope="module")
def app(alice: User) -> App:
    """An app without processes but its web."""
    return push(alice, "consoles", {})


@pytest.fixture(params=["operator", "without the gate", "ssh", "laptop"])
def enter(request: pytest.FixtureRequest, server: Server, alice: User) -> Enter:
    """The command line of ``paas run -a consoles ...`` from each place."""

    def argv(*words: str) -> list[str]:
        if request.param == "operator":
            return [str(server.root / "bin/paas"), "run", "-a", "consoles", *words]
        if request.param == "without the gate":
            python = [str(server.root / "opt/current/venv/bin/python"), "-I", "-m"]
            etc = ["--etc", str(server.root / "etc")]
            return [*python, "paas.entrypoints.cli", *etc, "run", "-a", "consoles", *words]
        if request.param == "ssh":
            return [*alice.ssh_argv("-t"), "paas@127.0.0.1", f"run -a consoles {shlex.join(words)}"]
        code = "import sys; from paas.entrypoints.client import main; sys.exit(main())"
        address = f"paas@127.0.0.1:{server.ssh_port}"
        given = ["--server", address, "-a", "consoles", "run", *words]
        return [sys.executable, "-c", code, *given]

    return argv


@contextmanager
def bash(argv: list[str], user: User) -> Iterator[Console]:
    """A shell in the app, at its first prompt."""
    environment = {**user.git_env(), "PYTHONPATH": str(CHECKOUT)}
    with console(argv, env=environment, cwd=user.server.scratch) as opened:
        opened.await_(r"app@\S+:~\$ ")
        yield opened


def test_bash_feels_like_a_login(alice: User, app: App, enter: Enter) -> None:
    """It has a terminal, its size and kind, job control without a complaint; exit ends it."""
    with bash(enter("bash"), alice) as shell:
        assert "job control" not in shell.shown
        assert shell.ask("stty size; echo $TERM; tty") == "30 100\nxterm-256color\n/dev/pts/0"
        assert "isig icanon" in shell.ask("stty -a")
        assert shell.ask("sleep 5000 & jobs").splitlines()[-1].endswith("sleep 5000 &")
        shell.send("exit 5\r")
        assert shell.status() == 5
        assert shell.is_restored()
    assert app.paas("run:list") == ""


def test_resizing_and_interrupting(alice: User, app: App, enter: Enter) -> None:
    """A new size arrives while a program runs; Ctrl-C and Ctrl-Z reach it, and it alone."""
    with bash(enter("bash"), alice) as shell:
        shell.send("trap 'echo size $(stty size)' WINCH; echo rea''dy\r")
        shell.await_("\nready\n")
        shell.prompt()
        shell.resize(44, 132)
        shell.await_("size 44 132\n")
        assert shell.ask("trap - WINCH; stty size") == "44 132"
        shell.send("sleep 6000\r")
        wait_for(lambda: _sleeps(app, 6000))
        shell.send("\x03")
        shell.await_(r"\^C\n.*?\$ ")
        assert shell.ask("echo $?") == "130"
        shell.send("sleep 6100\r")
        wait_for(lambda: _sleeps(app, 6100))
        shell.send("\x1a")
        shell.await_("Stopped")
        shell.prompt()
        assert "sleep 6100" in shell.ask("jobs")
        shell.send("\x04")
        shell.await_(r"stopped jobs.*?\$ ")
        shell.send("\x04")
        shell.status()
    wait_for(lambda: not _sleeps(app, 6100), what="the end of what was stopped")


def _sleeps(app: App, seconds: int) -> bool:
    return any(f"sleep {seconds} " == line for line in app.server.processes().values())


def test_full_screen_program(alice: User, app: App, enter: Enter) -> None:
    """less and top draw, take keys, and leave the terminal as they found it."""
    with bash(enter("bash"), alice) as shell:
        shell.send("seq 1000 | less\r")
        shell.await_(r"\n28\n.*:")
        shell.send("G")
        shell.await_(r"1000\n.*END")
        shell.send("q")
        shell.ask("true")
        shell.send("top\r")
        shell.await_("COMMAND")
        shell.send("q")
        shell.await_(r"\$ ")  # what is typed before is lost: top empties its input at the end
        assert "isig icanon" in shell.ask("stty -a")


@pytest.mark.parametrize(
    ("command", "status"),
    [("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137), ("no-such-thing", 127)],
)
def test_exit_status(alice: User, app: App, enter: Enter, command: str, status: int) -> None:
    """The status of the command is that of paas; a signal is 128 and its number."""
    env = {**alice.git_env(), "PYTHONPATH": str(CHECKOUT)}
    with console(enter(command), env=env, cwd=alice.server.scratch) as opened:
        assert opened.status() == status, opened.shown
        assert opened.is_restored()


def test_heroku_s_order_of_words(server: Server, alice: User, app: App) -> None:
    """The app may stand at the end, and a process type for its command."""
    argv = [str(server.root / "bin/paas"), "run", "echo", "a", "-a", "consoles"]
    with console(argv) as opened:
        opened.await_("Running echo a on consoles: run.1\n.*a\n")
        assert opened.status() == 0


def test_client_is_killed(server: Server, alice: User, app: App) -> None:
    """When ssh or the client on the server is killed the processes go, with those in background."""
    uid = int(app.shell("id -u"))
    before = set(host_pids(uid))
    ssh = [*alice.ssh_argv("-t"), "paas@127.0.0.1", "run", "-a", "consoles", "bash"]
    local = [str(server.root / "bin/paas"), "run", "-a", "consoles", "bash"]
    for argv in (ssh, local):
        with bash(argv, alice) as shell:
            shell.send("sleep 7000 & sleep 7100\r")
            wait_for(lambda: _sleeps(app, 7100) and _sleeps(app, 7000))
            shell.process.send_signal(signal.SIGKILL)
            wait_for(lambda: set(host_pids(uid)) <= before)
            if argv is local:
                wait_for(shell.is_restored, what="the terminal's former settings")
    wait_for(lambda: app.paas("run:list") == "", what="the end of their records")
    assert app.await_log(r"paas\[run\.1\]: Process exited with status 1\d\d")


def test_server_s_end_is_killed(server: Server, alice: User, app: App) -> None:
    """When the gate's child is killed the client sets the terminal back, and doctor clears up."""
    uid = int(app.shell("id -u"))
    before = set(host_pids(uid))
    argv = [str(server.root / "bin/paas"), "run", "-a", "consoles", "bash"]
    with bash(argv, alice) as shell:
        shell.send("sleep 7200 & sleep 7300\r")
        wait_for(lambda: _sleeps(app, 7300) and _sleeps(app, 7200))
        record = server.run / "runs" / str(app_id(server, app.name)) / "run.1"
        pid = json.loads(record.read_text())["pid"]
        status = Path(f"/proc/{pid}/status").read_text()
        parent = re.search(r"PPid:\s+(\d+)", status)
        assert parent is not None
        os.kill(int(parent[1]), signal.SIGKILL)
        assert shell.status() == 1
        assert "The server ended this command" in shell.shown
        assert shell.is_restored()
    server.paas("doctor", "--fix", check=False)  # other tests may have left what it cannot mend
    wait_for(lambda: set(host_pids(uid)) <= before, what="the end of its processes")
    wait_for(lambda: app.paas("run:list") == "", what="the end of its record")


def test_terminals_are_private(alice: User, app: App, server: Server) -> None:
    """An app sees no terminal but its own, and cannot type into that of the caller."""
    argv = [str(server.root / "bin/paas"), "run", "-a", "consoles", "bash"]
    with bash(argv, alice) as shell, bash(argv, alice) as other:
        assert shell.ask("ls /dev/pts") == "0  ptmx"
        assert other.ask("tty; ls /dev/pts") == "/dev/pts/0\n0  ptmx"
        shell.ask("echo secret > /dev/pts/0")
        assert "secret" not in other.ask("true")
        rows = json.loads(app.paas("run:list", "--json"))
        assert [row["name"] for row in rows] == ["run.1", "run.2"]
