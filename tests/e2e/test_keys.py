"""keys:add and keys:remove: who may come in, and what is no key."""

from tests.e2e.server import Server, User


def test_keys_come_and_go(server: Server, alice: User) -> None:
    """A key that is added works at once, one that is removed no longer does."""
    karla = User(server, "karla")
    added = server.paas("keys:add", "karla", str(karla.key.with_suffix(".key.pub"))).stdout.strip()
    assert added.startswith("SHA256:")
    assert "karla" in karla.ssh("keys").stdout
    assert "alice" not in karla.ssh("keys").stdout
    assert karla.ssh("server:status", check=False).returncode == 1
    assert karla.ssh("keys:add karla --admin", stdin=karla.public_key, check=False).returncode == 1
    assert alice.ssh(f"keys:remove {added}", check=False).returncode == 1
    server.paas("keys:remove", added)
    assert karla.ssh("version", check=False).returncode == 255


def test_bad_keys_are_refused(server: Server, alice: User, bob: User) -> None:
    """Options in front, another's key, two lines, a private key: nothing changes."""
    keys = server.paas("keys", "--json").stdout
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
    assert server.paas("keys", "--json").stdout == keys
    assert (server.root / "etc/authorized_keys").read_bytes() == authorized
