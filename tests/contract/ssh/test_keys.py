"""Reading public keys with OpenSSH's judgement, and the file that sshd reads."""

import os
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.ssh.authorized_keys import AuthorizedKeys
from paas.adapters.ssh.public_keys import SshKeygenKeyReader
from paas.domain.people.authorities import parse_authority
from paas.domain.people.keys import Key
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName

ALICE = UserName("alice")
COMMAND = ["/usr/bin/python3", "-I", "-S", "/opt/x y/client.py", "--paas-etc", "/etc/x", "--as"]
GOOD = "SHA256:" + "A" * 43
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make(directory: Path, kind: str, bits: str = "") -> str:
    """A fresh public key's line."""
    path = directory / f"id_{kind}{bits}"
    size = ["-b", bits] if bits else []
    argv = ["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "al ice@laptop", "-f", str(path)]
    subprocess.run(argv, check=True)
    return path.with_suffix(".pub").read_text()


@pytest.mark.parametrize(("kind", "bits"), [("ed25519", ""), ("ecdsa", "521"), ("rsa", "2048")])
def test_good_keys(tmp_path: Path, kind: str, bits: str) -> None:
    """Each usual type is read, with ssh-keygen's fingerprint and its comment."""
    line = make(tmp_path, kind, bits)
    told = subprocess.run(
        ["ssh-keygen", "-lf", "-"], input=line, capture_output=True, text=True, check=True
    )
    copied = (
        *(f"\n{line}\r\n\n", f"# mine\n{line}", f" \t{line}\t \n \r\n"),
        *(line.replace(" ", "\t", 1), line.replace(" ", "  ", 1), line.replace("\n", "\r")),
    )
    for text in (line, line.replace("\n", "\r\n"), line.rstrip("\n"), *copied):
        key = SshKeygenKeyReader().read(ALICE, text)
        assert key.fingerprint == told.stdout.split()[1]
        assert f"{key.kind} {key.body} {key.comment}\n" == line
        assert key.user == ALICE


def test_bad_keys(tmp_path: Path) -> None:
    """Everything that is not exactly one plain public key is a wrong usage."""
    good = make(tmp_path, "ed25519").strip()
    kind, body = good.split()[:2]
    private = (tmp_path / "id_ed25519").read_text()
    cases = [
        "",
        "\n",
        "hello",
        "ssh-ed25519",
        f"{kind} ",
        f"{kind} !!!",
        f"{kind} AAAA",
        f"{kind} {body[:-8]}",
        f"ssh-rsa {body}",
        f"ssh-dss {body}",
        f'command="id" {good}',
        f"restrict {good}",
        f"cert-authority {good}",
        f"{good}\n{good}",
        f"{good}\nhello",
        f"# {good}",
        f"{good}\x1b[31m",
        f"{good}\x00",
        f"{good}\u200b",
        good.replace(" ", "\u00a0", 1),
        f"ssh-ed448 {body}",
        f"ssh-ed25519-cert-v01@openssh.com {body}",
        f"example.com {good}",
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nAAAA",
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----",
        f"{good} {'x' * 20_000}",
        body,
        private,
    ]
    for text in cases:
        with pytest.raises(PaasError) as caught:
            SshKeygenKeyReader().read(ALICE, text)
        assert caught.value.exit_code == 2, text
        assert caught.value.message.isprintable()
    with pytest.raises(PaasError, match=r"U\+200B"):
        SshKeygenKeyReader().read(ALICE, f"{good}\u200b")
    with pytest.raises(PaasError, match="1024 bits"):
        SshKeygenKeyReader().read(ALICE, make(tmp_path, "rsa", "1024"))


def test_published_file(tmp_path: Path) -> None:
    """The file has exactly the given keys, each restricted to the client for its user."""
    path = tmp_path / "authorized_keys"
    key = SshKeygenKeyReader().read(ALICE, make(tmp_path, "ed25519"))
    keyfile = AuthorizedKeys(path, COMMAND, gid=64_123)
    keyfile.publish([key], [])
    command = "/usr/bin/python3 -I -S '/opt/x y/client.py' --paas-etc /etc/x --as alice"
    command += f" --key {key.fingerprint}"
    line = path.read_text().splitlines()[-1]
    assert line == f'restrict,pty,command="{command}" {key.kind} {key.body}'
    mode = path.stat()
    assert (stat.S_IMODE(mode.st_mode), mode.st_uid, mode.st_gid) == (0o640, 0, 64_123)
    keyfile.publish([], [])
    assert len(path.read_text().splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_line_for_each_user_and_ca(tmp_path: Path) -> None:
    """Which sshd accepts for certificates with the user's name; the fingerprint is the CA's."""
    path = tmp_path / "authorized_keys"
    line = make(tmp_path, "ed25519")
    key, ca = SshKeygenKeyReader().read(ALICE, line), parse_authority(line)
    file = AuthorizedKeys(path, ["client", "--as"], gid=os.getgid(), authorities=[ca])
    users = [UserName("alice"), UserName("b.o-b_1")]
    file.publish([], users)
    assert path.read_text().splitlines()[1:] == [
        f'cert-authority,principals="{user}",restrict,pty,'
        f'command="client --as {user} --ca {key.fingerprint}" {key.kind} {key.body}'
        for user in users
    ]
    assert file.has([], users)
    assert not file.has([], users[:1])
    with pytest.raises(PaasError):
        file.publish([], [UserName('a",command="id')])
    assert file.has([], users)


@pytest.mark.parametrize(
    ("fingerprint", "user", "kind", "body"),
    [
        (GOOD, 'a"', "ssh-ed25519", "AAAA"),
        (GOOD, "a\nb", "ssh-ed25519", "AAAA"),
        (GOOD, "alice", "ssh-ed25519\nssh-rsa", "AAAA"),
        (GOOD, "alice", "ssh-ed25519", "AAAA\nssh-rsa AAAA"),
        ("SHA256:AA", "alice", "ssh-ed25519", "AAAA"),
        (f"{GOOD}\n", "alice", "ssh-ed25519", "AAAA"),
        (f'SHA256:"{"A" * 42}', "alice", "ssh-ed25519", "AAAA"),
    ],
)
def test_damaged_keys_change_nothing(
    tmp_path: Path, fingerprint: str, user: str, kind: str, body: str
) -> None:
    """A key that could not have been validated never reaches the file."""
    path = tmp_path / "authorized_keys"
    path.write_text("before")
    with pytest.raises(PaasError):
        damaged = Key(fingerprint, UserName(user), kind, body, "")
        AuthorizedKeys(path, COMMAND, gid=0).publish([damaged], [])
    assert path.read_text() == "before"
    with pytest.raises(PaasError):
        AuthorizedKeys(path, ['/opt/"x'], gid=0)


def test_what_to_do_with_a_key_that_is_refused(tmp_path: Path) -> None:
    """Two keys, PuTTY's form, and the line of a cloud image are each told what to do."""
    good = make(tmp_path, "ed25519").strip()
    body = " ".join(good.split()[:2])
    cases = {
        f"{good}\n{good}\n": ("There are 2 public keys", "For each of them"),
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA": ("PuTTY's form", "ssh-keygen -i -f"),
        f'no-port-forwarding,command="echo Please login as ubuntu" {good}': ("options", body),
    }
    for text, (message, hint) in cases.items():
        with pytest.raises(PaasError) as caught:
            SshKeygenKeyReader().read(ALICE, text)
        assert message in caught.value.message
        assert hint in (caught.value.hint or "")
