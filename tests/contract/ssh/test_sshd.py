"""The forced command of a key behind a real sshd."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.ssh.authorized_keys import AuthorizedKeys
from paas.adapters.ssh.public_keys import SshKeygenKeyReader
from paas.adapters.ssh.sshd_conf import embedded, host_key
from paas.domain.values.names import UserName
from paas.settings import Settings
from tests.contract.gate.gate_world import ACCOUNT, LIMIT_S, World, world
from tests.ports import free_port
from tests.waiting import wait_for


@pytest.fixture
def ssh() -> Iterator[list[str]]:
    """The ssh command that reaches a gate as alice.

    sshd logs root in, whose forced command becomes the account first: the account of these tests
    is a number without a name.
    """
    with world() as made:
        key, host = made.root / "id", made.root / "host"
        for path in (key, host):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
            subprocess.run(argv, check=True)
        become = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups"]
        line = SshKeygenKeyReader().read(UserName("alice"), key.with_suffix(".pub").read_text())
        words = [*become, *made.argv("--as")]
        AuthorizedKeys(made.root / "keys", words, gid=ACCOUNT).publish([line], [])
        made.start()
        yield from _sshd(made, key)


def _sshd(made: World, key: Path) -> Iterator[list[str]]:
    root = made.root
    port = free_port()
    config = root / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {root}/host\nPidFile none\n"
        f"AuthorizedKeysFile {root}/keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        "AcceptEnv LC_*\n"
    )
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (root / "sshd.log").open("w") as log:
        sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stderr=log)
    options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    try:
        wait_for(lambda: _answers(port), what="sshd answers")
        yield ["ssh", *options, "-q", "-i", str(key), "-p", str(port), "root@127.0.0.1"]
    finally:
        sshd.terminate()
        sshd.wait(LIMIT_S)


def _answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_real_sshd(ssh: list[str], tmp_path: Path) -> None:
    """Commands, quoting, refusals, a hostile locale and a lost connection, through OpenSSH."""

    def over_ssh(*words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        argv = [*ssh, *options, "--", *words]
        return subprocess.run(
            argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LIMIT_S
        )

    assert over_ssh("say 'a\nb' c").stdout == "alice: ['a\\nb', 'c']\n"
    assert over_ssh("exit 20").returncode == 20
    assert over_ssh("apps\nid").returncode == 2
    assert "no command help" in over_ssh().stderr
    sftp = subprocess.run([*ssh, "-s", "sftp"], capture_output=True, text=True, input="")
    assert sftp.returncode != 0
    assert over_ssh("true", options=("-L", "0:x:1", "-o", "ExitOnForwardFailure=yes")) is not None
    mark = tmp_path / "mark"
    client = subprocess.Popen([*ssh, "--", f"follow {mark}"], stdin=subprocess.DEVNULL)
    wait_for((tmp_path / "mark.started").exists, what="the command follows")
    client.kill()
    client.wait(LIMIT_S)
    wait_for(mark.exists, what="the command noticed that the connection is lost")


def _banner(source: str, port: int) -> tuple[socket.socket, bytes]:
    """A connection from that address, and what sshd says first."""
    connection = socket.create_connection(("127.0.0.1", port), LIMIT_S, (source, 0))
    try:
        return connection, connection.recv(8)
    except ConnectionResetError:
        return connection, b""


def test_one_address_cannot_keep_the_others_from_logging_in(tmp_path: Path) -> None:
    """It opens 450 connections and never logs in; sshd of an embedded server takes 100 of them."""
    settings = Settings(etc=tmp_path, run=tmp_path, ssh_port=free_port(), embedded=True)
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host_key(settings))]
    subprocess.run(argv, check=True)
    config = tmp_path / "sshd_config"
    # None of them is sent away before the last one has come, however slow this machine is.
    config.write_text(f"{embedded(settings)}\nLoginGraceTime 600\n")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (tmp_path / "sshd.log").open("w") as log:
        sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stderr=log)
    kept = []
    try:
        wait_for(lambda: _answers(settings.ssh_port), what="sshd answers")
        greeted = []
        for _ in range(450):
            connection, said = _banner("127.0.0.2", settings.ssh_port)
            kept.append(connection)
            greeted.append(said == b"SSH-2.0-")
        assert sum(greeted) == 100
        for _ in range(20):
            connection, said = _banner("127.0.0.3", settings.ssh_port)
            kept.append(connection)
            assert said == b"SSH-2.0-"
    finally:
        for connection in kept:
            connection.close()
        sshd.terminate()
        sshd.wait(LIMIT_S)
