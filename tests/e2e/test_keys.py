"""keys:add and keys:remove: who may come in, and what is no key."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.e2e.security_key import ECDSA, ED25519, SecurityKey, agent
from tests.e2e.server import Server, User, run


def test_keys_come_and_go(server: Server, alice: User) -> None:
    """A key that is added works at once, one that is removed no longer does."""
    karla = User(server, "karla")
    added = server.paas("keys:add", "karla", str(karla.key.with_suffix(".key.pub"))).stdout.strip()
    assert added.startswith("SHA256:")
    assert "karla" in karla.ssh("keys").stdout
    assert "127.0.0.1" in server.paas("keys").stdout
    assert "alice" not in karla.ssh("keys").stdout
    assert karla.ssh("server:status", check=False).returncode == 1
    assert karla.ssh("keys:add karla --admin", stdin=karla.public_key, check=False).returncode == 1
    assert alice.ssh(f"keys:remove {added}", check=False).returncode == 1
    server.paas("keys:remove", added)
    assert karla.ssh("version", check=False).returncode == 255


def test_a_key_that_is_no_longer_valid_is_explained(server: Server, alice: User) -> None:
    """Also over a connection that is kept open: the gate asks for each command, and each push."""
    kim = User(server, "kim")
    server.paas("keys:add", "kim", "--expires", "1h", stdin=kim.public_key)
    control = ["-o", "ControlMaster=auto", "-o", f"ControlPath={server.scratch}/kim.control"]
    argv = [*kim.ssh_argv(*control, "-o", "ControlPersist=3600"), "paas@127.0.0.1"]
    (report,) = json.loads(run([*argv, "keys --json"]).stdout)
    assert (report["last_used_from"], report["not_used_since"]) == ("127.0.0.1", None)
    assert report["last_used"] < report["expires"]
    limited = kim.ssh("keys:add kim --expires 2d", stdin=kim.public_key, check=False)
    assert "may not be valid for longer" in limited.stderr
    refused = run([*argv, "keys:add", "kim", "--expires", "soon"], check=False)
    assert refused.returncode == 2

    with closing(sqlite3.connect(server.state / "state.db")) as database, database:
        database.execute(
            "UPDATE keys SET expires_at = '2026-01-01T00:00:00+00:00' WHERE fingerprint = ?",
            (report["fingerprint"],),
        )
    for words in (["keys"], ["apps:create", "kims"], ["git-upload-pack", "'kims'"]):
        late = run([*argv, *words], check=False)
        assert (late.returncode, late.stdout) == (1, "")
        assert "expired on 2026-01-01 at 00:00 UTC" in late.stderr
        assert "paas keys:add kim --expires 90d" in late.stderr
    assert "expired" in server.paas("keys").stdout
    server.paas("keys:add", "kim", "--expires", "never", stdin=kim.public_key)
    assert run([*argv, "version"]).returncode == 0

    server.paas("keys:remove", report["fingerprint"])
    gone = run([*argv, "version"], check=False)
    assert gone.returncode == 1, gone
    assert "was removed from this server" in gone.stderr
    run([*kim.ssh_argv(*control, "-O", "exit"), "paas@127.0.0.1"])
    assert kim.ssh("version", check=False).returncode == 255


@pytest.fixture
def ca(server: Server) -> Iterator[User]:
    """A CA whose certificates the server accepts: its key is that of this user, who is none."""
    settings = server.root / "etc/server.yml"
    before = settings.read_text()
    made = User(server, "ca")
    settings.write_text(f"{before}ssh_ca: ['{made.public_key.strip()}']\n")
    yield made
    settings.write_text(before)
    _publish(server, User(server, "zoe"))


def _publish(server: Server, user: User) -> None:
    """Have the file for sshd written again."""
    key = server.paas("keys:add", user.name, stdin=user.public_key).stdout.strip()
    server.paas("keys:remove", key)


def _signed(user: User, ca: User, principal: str, validity: str) -> User:
    """A certificate for the user's key, which ssh then presents beside it."""
    words = ["-I", f"{user.name}@example.com", "-n", principal, "-V", validity]
    run(["ssh-keygen", "-q", "-s", str(ca.key), *words, f"{user.key}.pub"])
    return user


def test_certificates_of_an_ssh_ca(server: Server, ca: User) -> None:
    """One that names a user comes in as them, until it expires; what else is signed stays out."""
    server.paas("users:add", "lea")
    lea, hour = User(server, "leas-other"), "-5m:+1h"
    assert lea.ssh("version", check=False).returncode == 255
    assert _signed(lea, ca, "lea", hour).ssh("keys", "--json").stdout == "[]\n"
    outlives = lea.ssh("keys:add", "lea", stdin=User(server, "more").public_key, check=False)
    assert (outlives.returncode, "would outlive it" in outlives.stderr) == (1, True)
    for signer, principal, validity in (
        (ca, "lea", "-2h:-1h"),
        (ca, "nobody", hour),
        (ca, "root", hour),
        (User(server, "other-ca"), "lea", hour),
    ):
        out = _signed(lea, signer, principal, validity).ssh("version", check=False)
        assert out.returncode == 255, (principal, validity)
    _signed(lea, ca, "lea", hour).ssh("version")

    settings = server.root / "etc/server.yml"
    before = settings.read_text()
    settings.write_text(before.partition("ssh_ca")[0])
    refused = lea.ssh("version", check=False)
    assert refused.returncode == 1, refused
    assert "no longer accepts certificates of the CA" in refused.stderr
    settings.write_text(before)
    lea.ssh("version")
    server.paas("users:remove", "lea")
    assert lea.ssh("version", check=False).returncode == 255


@pytest.mark.parametrize("kind", [ED25519, ECDSA])
def test_security_keys(server: Server, kind: str) -> None:
    """Both kinds come in, with a touch; the key is listed with its type."""
    sue, key = User(server, f"sue-{kind[3:6]}"), SecurityKey(kind)
    added = server.paas("keys:add", sue.name, stdin=key.public_key).stdout.strip()
    with agent(key, server.scratch / f"{sue.name}.agent") as path:
        public = server.scratch / f"{sue.name}.pub"
        public.write_text(key.public_key)
        other = {str(sue.key): str(public), "IdentityAgent=none": f"IdentityAgent={path}"}
        argv = [other.get(word, word) for word in sue.ssh_argv()]
        (report,) = json.loads(run([*argv, "paas@127.0.0.1", "keys --json"]).stdout)
        assert (report["fingerprint"], report["type"]) == (added, kind)
        key.touched = False
        assert run([*argv, "paas@127.0.0.1", "version"], check=False).returncode == 255


def test_a_key_as_an_editor_saved_it(server: Server) -> None:
    """With a byte order mark, as UTF-16 from Notepad, with the line ends of Windows, or a tab."""
    lou = User(server, "lou")
    plain = lou.public_key.strip()
    for content in (
        f"{plain}\r\n".encode("utf-8-sig"),
        f"{plain}\r\n".encode("utf-16"),
        f"{plain}\r\n".encode("utf-16-le"),
        f"\n\n {plain.replace(' ', chr(9), 1)} at home\n\n".encode(),
        f"{plain} Müller\n".encode("latin-1"),
    ):
        file = server.scratch / "lou.pub"
        file.write_bytes(content)
        added = server.paas("keys:add", "lou", str(file)).stdout.strip()
        assert added in lou.ssh("keys").stdout
        server.paas("keys:remove", added)


def fingerprints(server: Server) -> set[str]:
    """Of all keys; when each was last used may change meanwhile."""
    return {key["fingerprint"] for key in json.loads(server.paas("keys", "--json").stdout)}


def test_bad_keys_are_refused(server: Server, alice: User, bob: User) -> None:
    """Options in front, another's key, two lines, a private key: nothing changes."""
    keys = fingerprints(server)
    authorized = (server.root / "etc/authorized_keys").read_bytes()
    fresh = User(server, "dave").public_key
    for text in (
        f'command="id" {fresh}',
        f"no-pty {fresh}",
        bob.public_key,
        f"{fresh}{fresh}",
        f'{fresh.strip()} x\ncommand="id" {fresh}',
        alice.key.read_text(),
        "ssh-ed25519 AAAA",
        "",
        "x" * 20_000,
    ):
        done = server.paas("keys:add", "dave", stdin=text, check=False)
        assert done.returncode in (1, 2), (text, done)
        assert done.stderr.startswith(" !     ")
        assert "PRIVATE KEY" not in done.stderr
    for name in ("root", "../x", "Dave", 'x" command="id', ""):
        assert server.paas("keys:add", "--", name, stdin=fresh, check=False).returncode == 2
    assert alice.ssh("keys:add alice", stdin=bob.public_key, check=False).returncode == 1
    assert alice.ssh("keys:add bob", stdin=fresh, check=False).returncode == 1
    assert fingerprints(server) == keys
    assert (server.root / "etc/authorized_keys").read_bytes() == authorized
