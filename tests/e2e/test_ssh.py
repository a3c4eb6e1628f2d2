"""SSH as the front door: hostile commands, other services of sshd, and many callers at once."""

import re
import socket
import subprocess

import pytest

from tests.e2e.server import Finished, Server, User, git_environment, run
from tests.ports import free_ports
from tests.waiting import wait_for


@pytest.fixture(scope="module", autouse=True)
def hidden(bob: User) -> None:
    """An app of bob's, of which alice must not learn."""
    bob.ssh("apps:create hidden")


def with_options(user: User, options: list[str], *words: str, timeout_s: float = 180) -> Finished:
    """ssh with options before the host."""
    argv = [*user.ssh_argv(*options), "paas@127.0.0.1", *words]
    return run(argv, check=False, timeout_s=timeout_s)


def test_no_command_shows_help(alice: User) -> None:
    """ssh without a command prints first steps and topics, and ends with 0."""
    done = alice.ssh()
    assert "apps:create" in done.stdout
    assert "paas help ps" in done.stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("config:set 'GREETING=hello", "unclosed quote"),
        ('config:set "GREETING=hello', "unclosed quote"),
        ("apps\\", "lone backslash"),
        ("apps\napps:create injected", "newline"),
        ("apps\x1b[2J", "control character"),
        ("apps\x07", "control character"),
        ("git-receive-pack 'a;id'", "'a;id' is not an app name"),
        ("git-receive-pack '$(id)'", "is not an app name"),
        ("git-receive-pack '../../etc'", "is not an app name"),
        ("git-upload-pack '../../etc'", "is not an app name"),
        ("git-upload-pack '/../hidden'", "is not an app name"),
        ("git-upload-pack --upload-pack=x", "is not an app name"),
        ("git-upload-pack '--upload-pack=x' hidden", "one path"),
        ("git-receive-pack", "one path"),
        ("git-receive-pack ''", "is not an app name"),
        ("git-receive-pack 'a\nb'", ""),
        ("git-upload-archive '../x'", "is not an app name"),
        ("git:hook", "inside a push"),
        ("scp -f /etc/passwd", "git push"),
        ("/usr/bin/scp -t /tmp", "git push"),
        ("rsync --server --sender . /etc", "git push"),
        ("/usr/lib/openssh/sftp-server", "git push"),
        ("apps; id", "There is no command"),
        ("$(id)", "There is no command"),
        ("bash", "There is no command"),
        (" --as bob apps", "No such option"),
        (" --paas-etc /tmp apps", "No such option"),
    ],
)
def test_hostile_command_is_refused(alice: User, command: str, words: str) -> None:
    """One line says what is wrong, the status is 2, and nothing is run."""
    before = alice.ssh("apps").stdout
    done = alice.ssh(command, check=False)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert words in done.stderr
    assert "\x1b" not in done.stderr
    assert "uid=" not in done.stderr
    assert "Traceback" not in done.stderr
    assert alice.ssh("apps").stdout == before


@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack", "git-upload-archive"])
def test_anothers_app_looks_like_none(alice: User, service: str) -> None:
    """Users without access get the same answer as if there were no such app, with status 20."""
    name = "missing" if service != "git-receive-pack" else "hidden"  # a push would make it
    absent = alice.ssh(f"{service} {name}", check=False)
    present = alice.ssh(f"{service} hidden", check=False)
    assert (present.returncode, present.stdout) == (20, "")
    assert present.stderr == absent.stderr.replace(name, "hidden")
    assert "no app 'hidden'" in present.stderr


def test_git_client_is_told_as_well(alice: User) -> None:
    """git ls-remote of another's app and of none differ in the name only."""
    told = [
        run(["git", "ls-remote", alice.git_url(name)], env=alice.git_env(), check=False).stderr
        for name in ("hidden", "missing")
    ]
    assert "no app 'hidden'" in told[0]
    assert told[0] == told[1].replace("missing", "hidden")


def test_file_transfer_is_refused(alice: User, server: Server) -> None:
    """scp and sftp, the real programs, get nothing and leave nothing."""
    options = [word.replace("-p", "-P") if word == "-p" else word for word in alice.ssh_argv()[1:]]
    target = server.scratch / "fetched"
    for argv in (
        ["scp", *options, "paas@127.0.0.1:/etc/passwd", str(target)],
        ["scp", "-O", *options, "paas@127.0.0.1:/etc/passwd", str(target)],
        ["sftp", *options, "-b", "/dev/null", "paas@127.0.0.1"],
    ):
        assert run(argv, check=False, timeout_s=180).returncode != 0
    assert not target.exists()


def test_forwarding_is_refused(alice: User, server: Server) -> None:
    """Neither -L, -R nor -D opens a way into the server's network."""
    direct = with_options(alice, ["-W", f"127.0.0.1:{server.http_port}"])
    assert direct.returncode != 0
    assert "forwarding failed" in direct.stderr
    port = free_ports(1)[0]
    options = ["-N", "-o", "ExitOnForwardFailure=yes"]
    back = with_options(alice, [*options, "-R", f"{port}:127.0.0.1:{server.http_port}"])
    assert back.returncode == 255
    assert "remote port forwarding failed" in back.stderr
    for kind in ("-L", "-D"):
        port = free_ports(1)[0]
        place = f"{port}:127.0.0.1:{server.http_port}" if kind == "-L" else str(port)
        client = subprocess.Popen(
            [*alice.ssh_argv(*options, kind, place), "paas@127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert through(port, server.http_port, socks=kind == "-D") == b""
        finally:
            client.kill()
            client.wait()


def through(port: int, target: int, *, socks: bool) -> bytes:
    """What comes back from the target through a local forwarding, asked for by HTTP."""
    wait_for(lambda: listens(port), what="ssh's own listener")
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        if socks:  # SOCKS 4: connect to 127.0.0.1:target
            connection.sendall(b"\x04\x01" + target.to_bytes(2, "big") + b"\x7f\0\0\x01\0")
        connection.sendall(b"GET / HTTP/1.0\r\nHost: site.localhost\r\n\r\n")
        try:
            return connection.recv(100)
        except ConnectionResetError:
            return b""


def listens(port: int) -> bool:
    """Whether that local port is open; does not connect, as a forwarding would then be tried."""
    text = run(["ss", "-Hltn", f"sport = :{port}"]).stdout
    return bool(text.strip())


def test_agent_and_display_are_not_given(alice: User) -> None:
    """With -A and -X the command runs, and gets neither."""
    done = with_options(alice, ["-A", "-X", "-o", "LogLevel=VERBOSE"], "version")
    assert done.returncode == 0
    assert re.search(r"paas \d", done.stdout)


def test_environment_of_the_client_has_no_effect(alice: User, server: Server) -> None:
    """What ssh is configured to send or set changes neither the words nor the code that runs."""
    plain = alice.ssh("help config:set").stdout
    injected = {
        "LC_ALL": "xx_XX.EVIL",
        "LANG": "tr_TR.UTF-8",
        "PYTHONPATH": "/tmp",
        "PYTHONSTARTUP": "/etc/passwd",
        "PYTHONINSPECT": "1",
        "PYTHONHOME": "/nonexistent",
        "LD_PRELOAD": "/nonexistent.so",
        "PATH": "/nonexistent",
        "BASH_ENV": "/etc/passwd",
        "PAAS_ETC": "/nonexistent",
        "PAAS_USER": "bob",
        "GIT_DIR": "/nonexistent",
    }
    options = [word for name, text in injected.items() for word in ("-o", f"SetEnv={name}={text}")]
    for sent in ([*options], ["-o", "SendEnv=LC_* LANG PYTHON* LD_* BASH_* PAAS_* GIT_*"]):
        argv = [*alice.ssh_argv(*sent), "paas@127.0.0.1", "help config:set"]
        env = {**git_environment(), "LC_ALL": "xx_XX.EVIL", "PYTHONPATH": "/tmp"}
        done = run(argv, env=env, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, plain, "")


def test_other_accounts_and_passwords_are_refused(alice: User, server: Server) -> None:
    """root cannot log in here, and there is no other way in than a known key."""
    as_root = [*alice.ssh_argv("-o", "BatchMode=yes"), "root@127.0.0.1", "id"]
    assert run(as_root, check=False).returncode == 255
    without = [*alice.ssh_argv("-v", "-o", "PubkeyAuthentication=no", "-o", "BatchMode=yes")]
    done = run([*without, "-o", "LogLevel=DEBUG1", "paas@127.0.0.1", "apps"], check=False)
    assert done.returncode == 255
    assert re.search(r"continue: publickey\s", done.stderr)


def test_sixty_callers_at_once_are_served(alice: User) -> None:
    """60 simultaneous connections all get their answer."""
    argv = [*alice.ssh_argv(), "paas@127.0.0.1", "version"]
    callers = [
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(60)
    ]
    outputs = [caller.communicate(timeout=400) for caller in callers]
    assert [caller.returncode for caller in callers] == [0] * 60, outputs
    assert all(out.startswith(b"paas ") for out, _ in outputs)
