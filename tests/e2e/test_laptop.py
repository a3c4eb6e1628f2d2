"""``paas`` on a laptop: over real ssh, in a git work tree, and completed by real shells."""

import fcntl
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.console import console
from tests.e2e.server import Finished, Repository, Server, User, run
from tests.e2e.tiny import app_id

PAAS = Path(sys.executable).with_name("paas")
Paas = Callable[..., Finished]


@pytest.fixture
def work(alice: User, tmp_path: Path) -> Repository:
    """A work tree on alice's laptop."""
    return Repository.of(tmp_path / "work", {"README": "hello\n"})


@pytest.fixture
def paas(server: Server, alice: User, work: Repository) -> Paas:
    """The program, run in the work tree; no server is set but by option or remote."""

    port = ["-p", str(server.ssh_port)]  # it must come from the address
    ssh = shlex.join(alice.ssh_argv()).replace(f" {shlex.join(port)} ", " ")
    env = {**alice.git_env(), "PAAS_SSH": ssh}

    def call(*words: str, stdin: str = "", check: bool = True) -> Finished:
        return run([str(PAAS), *words], stdin=stdin, check=check, env=env, cwd=work.path)

    return call


def test_an_app_from_creation_to_its_end(server: Server, work: Repository, paas: Paas) -> None:
    """apps:create adds the remote, commands take the app from it, rename and destroy follow."""
    address = f"paas@127.0.0.1:{server.ssh_port}"
    paas("apps:create", "lap", "--server", address)
    assert work.git("remote", "get-url", "deploy").stdout == f"ssh://{address}/lap\n"
    value = 'it\'s "two" words; $(id) % \\ \n and a line'
    done = paas("config:set", f"GREETING={value}", "EMPTY=")
    assert "Setting GREETING, EMPTY" in done.stderr
    assert "-----> Done: v1\n" in done.stderr
    assert paas("config:get", "GREETING").stdout == value + "\n"
    assert "v1" in paas("releases").stdout
    renamed = paas("apps:rename", "lapland")
    assert "git remote deploy now points to lapland" in renamed.stderr
    assert work.git("remote", "get-url", "deploy").stdout == f"ssh://{address}/lapland\n"
    assert paas("apps:info").stdout.startswith("=== lapland\n")
    paas("apps:destroy", "--confirm", "lapland")
    assert work.git("remote").stdout == ""


def test_exit_status_is_passed_through(server: Server, paas: Paas) -> None:
    """0, 1, 2 and 20 arrive as the server gave them; 255 is ssh's own."""
    address = ["--server", f"paas@127.0.0.1:{server.ssh_port}"]
    assert paas("version", *address).returncode == 0
    assert paas("server:status", *address, check=False).returncode == 1
    assert paas("apps:create", "a;id", *address, check=False).returncode == 2
    assert paas("nope", *address, check=False).returncode == 2
    assert paas("apps:info", "none", *address, check=False).returncode == 20
    assert paas("apps", "--server", "paas@127.0.0.1:1", check=False).returncode == 255


def test_no_server_is_explained(paas: Paas) -> None:
    """Without a remote or a setting, it says how to name the server; help needs none."""
    done = paas("apps", check=False)
    assert done.returncode == 2
    assert "--server" in done.stderr
    assert "config:set" in paas("help", "config").stdout
    assert paas("version").stdout.startswith("paas ")


def test_push_to_the_remote(server: Server, alice: User, work: Repository, paas: Paas) -> None:
    """The remote that apps:create added takes a push: its refusal names what is missing."""
    paas("apps:create", "lappush", "--server", f"paas@127.0.0.1:{server.ssh_port}")
    argv = ["git", "push", "deploy", "main"]
    done = run(argv, env=alice.git_env(), cwd=work.path, check=False, merge=True)
    assert done.returncode != 0
    assert "No buildpack" in done.stdout


def test_key_file_is_read_here(server: Server, alice: User, paas: Paas) -> None:
    """keys:add sends the file's content; a private key never leaves the laptop."""
    address = ["--server", f"paas@127.0.0.1:{server.ssh_port}"]
    second = User(server, "alice-second")
    done = paas("keys:add", "alice", str(second.key), *address, check=False)
    assert done.returncode == 1, done
    assert "nothing was sent" in done.stderr
    paas("keys:add", "alice", f"{second.key}.pub", *address)
    assert second.ssh("apps").returncode == 0


def test_piped_output_that_is_cut_off(server: Server, alice: User) -> None:
    """A reader that goes away ends the command without a traceback."""
    address = f"paas@127.0.0.1:{server.ssh_port}"
    script = f"set -o pipefail; {PAAS} help apps --server {address} | true"
    done = run(["bash", "-c", script], env=alice.git_env(), check=False)
    assert done.stderr == ""


@contextmanager
def busy(server: Server, app: str) -> Iterator[Callable[[], None]]:
    """Somebody changes the app: its lock is held, until the function is called."""
    with (server.run / "locks" / f"app-{app_id(server, app)}").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(lock, fcntl.LOCK_UN)


def test_a_terminal_shows_that_it_goes_on(
    server: Server, alice: User, work: Repository, paas: Paas
) -> None:
    """Behind ssh, which gives the server no terminal, a line is drawn and erased."""
    address = f"paas@127.0.0.1:{server.ssh_port}"
    paas("apps:create", "lapwait", "--server", address)
    env = {**alice.git_env(), "PAAS_SSH": shlex.join(alice.ssh_argv())}
    argv = [str(PAAS), "ps:wait", "--server", address]
    with busy(server, "lapwait") as free, console(argv, env=env, cwd=work.path) as alices:
        alices.await_(r"This command runs after that\.\n     [-\\|/] Waiting for that \(\d+ s\)")
        free()
        alices.await_(r"-----> lapwait has no release yet\n")
        assert alices.status() == 0


def test_a_password_is_typed_unseen(
    server: Server, alice: User, work: Repository, paas: Paas
) -> None:
    """On a laptop and on the server; two that differ are not sent, and Ctrl-C leaves."""
    address = f"paas@127.0.0.1:{server.ssh_port}"
    paas("apps:create", "laplogin", "--server", address)
    env = {**alice.git_env(), "PAAS_SSH": shlex.join(alice.ssh_argv())}
    words = ["http-auth:add-user", "laplogin"]
    for argv, user in (
        ([str(PAAS), *words, "far", "--server", address], "far"),
        ([str(server.root / "bin/paas"), *words, "near"], "near"),
    ):
        for first, second, status in (("one", "two", 2), ("same", "same", 0), ("\x03", "", 130)):
            with console(argv, env=env, cwd=work.path) as typing:
                typing.await_("Password: ")
                typing.send(f"{first}\r")
                if second:
                    typing.await_("Once more: ")
                    typing.send(f"{second}\r")
                assert typing.status() == status
                assert typing.is_restored()
                assert first not in typing.shown
        assert user in server.paas("http-auth", "laplogin").stdout


def test_ctrl_c_leaves_the_terminal_alone(server: Server, paas: Paas) -> None:
    """On the server itself, too: nothing is written on it when the command has been left."""
    paas("apps:create", "lapleft", "--server", f"paas@127.0.0.1:{server.ssh_port}")
    argv = [str(server.root / "bin/paas"), "ps:wait", "lapleft"]
    with busy(server, "lapleft") as free, console(argv) as operators:
        operators.await_(r"Waiting for that \(\d+ s\)")
        operators.send("\x03")
        assert operators.status() == 130
        assert operators.is_restored()
        operators.shown = ""
        free()
        server.paas("ps:wait", "lapleft")  # so the one that was left has had its turn
        assert not select.select([operators.fd], [], [], 0)[0]


def test_open_prints_the_address(server: Server, paas: Paas) -> None:
    """With a path; and init needs the laptop."""
    address = f"paas@127.0.0.1:{server.ssh_port}"
    paas("apps:create", "lapopen", "--server", address)
    printed = paas("open", "/admin?a=b c").stdout
    assert re.fullmatch(r"http://lapopen\.[^/]+/admin\?a=b%20c\n", printed)
    assert "init examines the current folder" in server.paas("init", check=False).stderr


SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
SETUP = {
    "bash": "source <(paas completion bash)",
    "zsh": "autoload -Uz compinit; compinit -D -u; source <(paas completion zsh)",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_in_a_real_shell(shell: str) -> None:
    """Typed at a terminal, ``paas config:s`` and a tab become ``paas config:set``."""
    terminal, theirs = pty.openpty()
    env = {"PATH": f"{PAAS.parent}:{os.environ['PATH']}", "TERM": "dumb", "HOME": "/nonexistent"}
    process = subprocess.Popen(
        SHELLS[shell],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**env, "PS1": "> ", "INPUTRC": "/dev/null", "HISTFILE": "/dev/null"},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        # echo marks are written in two parts, so that the typed line itself is no answer
        os.write(terminal, f"{SETUP[shell]}; echo rea''dy\n".encode())
        assert "\nready" in heard(terminal, "\nready").replace("\r", "")
        os.write(terminal, b"echo paas\x15paas config:s\t")
        completed = heard(terminal, "config:set")
        os.write(terminal, b"\x15paas config:set --a\t")
        completed += heard(terminal, "--app")
        os.write(terminal, b"\x15paas nginx:set client-m\t")
        completed += heard(terminal, "client-max-body-size")
        os.write(terminal, b"\x15paas -a x help ps:sca\t")
        completed += heard(terminal, "ps:scale")
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    assert not re.search("error|not found", completed)


def heard(terminal: int, text: str, limit_s: float = 150) -> str:
    """What a shell prints, up to a text; fails at the limit."""
    found = ""
    deadline = time.monotonic() + limit_s
    while text not in found.replace("\r", ""):
        left_s = deadline - time.monotonic()
        assert left_s > 0, f"{text!r} did not come: {found!r}"
        if select.select([terminal], [], [], left_s)[0]:
            found += os.read(terminal, 4096).decode(errors="replace")
    return found
