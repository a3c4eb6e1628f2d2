"""The gate and its client, as root and as the platform's account."""

import os
import signal
import socket
import stat
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.gate.gate_world import ACCOUNT, ADDRESS, LIMIT_S, STRANGER, World, world
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    """A world whose gate runs."""
    with world() as made:
        made.start()
        yield made


def test_output_input_and_status_pass_through(running: World) -> None:
    """stdout, stderr, stdin and the exit status are the client's own."""
    said = running.root_client("say", "a b", 'c"\\\n\t\x1b', "é€")
    assert said.stdout == "None: ['a b', 'c\"\\\\\\n\\t\\x1b', 'é€']\n"
    assert said.stderr == "narration\n"
    assert running.root_client("exit", "20").returncode == 20
    assert running.root_client("cat", stdin="x\n" * 100_000).stdout == "x\n" * 100_000


def test_bytes_that_are_no_text_survive(running: World) -> None:
    """An argument that is not UTF-8 arrives and leaves as the same bytes."""
    argv = [*(word.encode() for word in running.argv("say")), b"\xff\xfe"]
    done = subprocess.run(argv, capture_output=True, env={}, timeout=LIMIT_S)
    assert b"\\udcff\\udcfe" in done.stdout
    piped = subprocess.run(
        running.argv("cat"), input=b"\xff\x00\x80", capture_output=True, env={}, timeout=LIMIT_S
    )
    assert piped.stdout == b"\xff\x00\x80"


def test_child_is_a_session_of_its_own(running: World) -> None:
    """A child has the client's three descriptors, its own session and the usual umask."""
    lines = running.root_client("inside").stdout.splitlines()
    assert lines[0].startswith("[0, 1, 2]")
    assert lines[1] == "True 0o22"


def test_ssh_command_is_parsed_on_the_server(running: World) -> None:
    """The raw SSH command becomes words, for the user of the key."""
    assert running.ssh_client("say 'a b' \"c\nd\"").stdout == "alice: ['a b', 'c\\nd']\n"
    assert "no command help" in running.ssh_client(None).stderr
    refused = running.ssh_client("say 'a")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(" !     The command has an unclosed quote")
    assert running.ssh_client("git-upload-pack 'nothing'").returncode == 20


def test_only_known_environment_enters(running: World) -> None:
    """Neither the SSH session's nor the operator's environment gets in but for a few names."""
    env = {"TERM": "xterm", "LC_ALL": "x", "PAAS_APP_ID": "1", "GIT_PUSH_OPTION_0": "x"}
    done = subprocess.run(
        running.argv("env"), env=env, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.stdout == f"{{'PAAS_ETC': '{running.etc}', 'TERM': 'xterm'}}\n"


def test_the_origin_of_a_request(running: World) -> None:
    """An address and a key over SSH, also without a key's name in an older line; a login of root's.

    Neither the operator's environment nor the words of a command make another one.
    """
    key = f"SHA256:{'a+/' * 14}a"
    assert running.ssh_client("origin", "--key", key).stdout == f"{ADDRESS} {key} None None\n"
    assert running.ssh_client("origin", "--ca", key).stdout == f"{ADDRESS} None {key} None\n"
    assert running.ssh_client("origin").stdout == f"{ADDRESS} None None None\n"
    assert running.ssh_client("origin", "--key", "x").returncode == 2
    assert running.ssh_client(f"origin --key {key}").stdout == f"{ADDRESS} None None None\n"
    env = {"SSH_CONNECTION": "192.0.2.9 1 192.0.2.1 22", "SUDO_USER": "carol", "PAAS_KEY": key}
    done = subprocess.run(
        running.argv("origin"), env=env, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.stdout == "None None None carol\n"


def test_the_token_of_a_request(running: World) -> None:
    """As the variable has it, also if it is empty or no text; none without it, and none of root's.

    It is in no command line, and in no log.
    """

    def sent(text: str | bytes | None, argv: list[str]) -> str:
        env: dict[str, str | bytes] = {"SSH_ORIGINAL_COMMAND": "token"}
        if text is not None:
            env["PAAS_TOKEN"] = text
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=LIMIT_S)
        assert done.returncode == 0
        return done.stdout

    over_ssh = running.argv("--as", "alice")
    assert sent(None, over_ssh) == "None\n"
    assert sent("", over_ssh) == "['']\n"
    assert sent('paas_"x\n', over_ssh) == "['paas_\"x\\n']\n"
    assert sent(b"\xff", over_ssh) == "['\\udcff']\n"
    assert sent("paas_secret", running.argv("token")) == "None\n"
    assert "paas_" not in running.log.read_text()


def test_account_must_speak_for_a_user(running: World) -> None:
    """The account without a user, or with words instead of an SSH command, is refused."""
    script = f"""
import sys; sys.path.insert(0, {str(running.root / "code")!r})
from paas.entrypoints.gate_client import link
for user, argv in ((None, ["say"]), ("alice", ["say"]), ("root;id", ["say"])):
    request = {{"argv": argv, "user": user, "command": None, "env": {{}}}}
    print(link._ask({str(running.etc)!r}, request))
"""
    argv = ["/usr/bin/python3", "-I", "-S", "-c", script]
    done = subprocess.run(argv, user=ACCOUNT, group=ACCOUNT, capture_output=True, text=True)
    assert done.stdout.split() == ["1", "1", "2"]
    assert "may speak only for a user" in done.stderr


def test_hook_command_is_not_for_ssh(running: World) -> None:
    """Nobody can run the hook's command by hand."""
    assert running.ssh_client("git:hook").returncode == 2


def test_stranger_is_kept_out(running: World) -> None:
    """Another account cannot reach the socket; it finds the file modes in its way."""
    mode = running.socket.stat()
    assert (stat.S_IMODE(mode.st_mode), mode.st_uid, mode.st_gid) == (0o660, 0, ACCOUNT)
    assert running.ssh_client("say", uid=STRANGER).returncode == 1
    running.socket.chmod(0o666)
    try:
        turned_away = running.ssh_client("say hello", uid=STRANGER)
    finally:
        running.socket.chmod(0o660)
    assert (turned_away.returncode, turned_away.stdout) == (1, "")
    assert f"uid {STRANGER} was refused" in running.log.read_text()


def test_crash_hurts_one_command(running: World) -> None:
    """A fault gives the user a reference, the log the traceback, and the next command runs."""
    done = running.root_client("crash")
    assert done.returncode == 1
    reference = done.stderr.split("reference ")[1].split(")")[0]
    assert "Traceback" not in done.stderr
    log = running.log.read_text()
    assert f"error {reference}" in log
    assert "ZeroDivisionError: on purpose" in log
    assert running.root_client("true").returncode == 0


def test_expected_errors_are_rendered(running: World) -> None:
    """A PaasError comes out as lines on stderr, its hint last, with its exit status."""
    done = running.root_client("refuse")
    assert done.returncode == 20
    assert done.stderr == " !     That cannot be.\n !     For a reason.\n !     paas help\n"


def test_killed_child_is_told(running: World) -> None:
    """When a child is killed, the client says that the command did not end."""
    done = running.root_client("kill")
    assert done.returncode == 1
    assert "ended this command before it was done" in done.stderr


def test_early_answer_lets_the_client_go(running: World, tmp_path: Path) -> None:
    """A command that continues in the background keeps neither the client nor its pipes."""
    mark = tmp_path / "mark"
    done = running.root_client("background", str(mark))
    assert (done.returncode, done.stdout) == (0, "live\n")
    assert not mark.exists()
    Path(f"{mark}.end").touch()
    wait_for(mark.exists, what="the command goes on")


def test_command_learns_that_its_client_left(running: World, tmp_path: Path) -> None:
    """Ctrl-C ends the client silently with 130, and the command sees it."""
    mark = tmp_path / "mark"
    client = subprocess.Popen(running.argv("follow", str(mark)), stderr=subprocess.PIPE, env={})
    wait_for((tmp_path / "mark.started").exists, what="the command runs")
    client.send_signal(signal.SIGINT)
    assert client.communicate(timeout=LIMIT_S)[1] == b""
    assert client.returncode == 130
    wait_for(mark.exists, what="the command noticed")


def test_client_leaves_when_nobody_reads(running: World, tmp_path: Path) -> None:
    """A closed pipe, as sshd leaves it after a lost connection, ends a client that waits."""
    mark = tmp_path / "mark"
    reader, writer = os.pipe()
    client = subprocess.Popen(running.argv("follow", str(mark)), stdout=writer, env={})
    os.close(writer)
    wait_for((tmp_path / "mark.started").exists, what="the command runs")
    os.close(reader)
    assert client.wait(LIMIT_S) == 141
    wait_for(mark.exists, what="the command noticed")


def test_closed_descriptors_are_no_accident(running: World) -> None:
    """A caller that closed stdin and stdout gets /dev/null there, and its exit status."""
    words = " ".join(running.argv("cat"))
    done = subprocess.run(["/bin/sh", "-c", f"exec {words} <&- >&-"], timeout=LIMIT_S)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        struct.pack("!I", 2**32 - 1) + b"{",
        struct.pack("!I", 2) + b"{}",
        struct.pack("!I", 20_002) + b"[" * 10_001 + b"]" * 10_001,
        struct.pack("!I", 4) + b"\xff\xff\xff\xff",
    ],
)
def test_nonsense_is_refused(running: World, data: bytes) -> None:
    """What is not a request ends one child and is answered with nothing but a status."""
    for fds in ([], [0, 1, 2], [0, 1, 2, 2]):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(LIMIT_S)
            sock.connect(str(running.socket))
            if data:
                socket.send_fds(sock, [data], fds)
            sock.shutdown(socket.SHUT_WR)
            answer = sock.recv(100)
            assert answer in (b"", b'\x00\x00\x00\x0b{"exit": 2}')
    assert running.root_client("true").returncode == 0


def test_a_client_that_says_nothing_is_dropped(running: World) -> None:
    """A silent client costs a child for five seconds and hinders nobody meanwhile."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(LIMIT_S)
        before = time.monotonic()
        sock.connect(str(running.socket))
        assert running.root_client("true").returncode == 0
        assert sock.recv(100) in (b"", b'\x00\x00\x00\x0b{"exit": 2}')
        assert time.monotonic() - before > 4


def test_no_zombies_after_many(running: World) -> None:
    """A hundred commands leave no child behind."""
    gate = running.gate
    assert gate is not None
    for _ in range(100):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(running.socket))
    children = Path(f"/proc/{gate.pid}/task/{gate.pid}/children")
    wait_for(lambda: children.read_text().strip() == "", what="every child is reaped")
