"""What one member can use of the server: instances, request bodies, disk space."""

import json

from tests.e2e.probe import FILES, push
from tests.e2e.server import Repository, Server, User
from tests.hostile.conftest import Unchanged


def test_a_hundred_instances(alice: User, unchanged: Unchanged, probe: object) -> None:
    """Refused by default; running instances stay."""
    with unchanged():
        told = alice.ssh("ps:scale", "web=100", "-a", "probe", check=False)
        assert told.returncode == 1, told
        assert "probe would have 100 instances; its quota is 20." in told.stderr


def test_bodies_of_a_hundred_gigabytes(alice: User, unchanged: Unchanged, probe: object) -> None:
    """A member cannot exceed the server's ceiling, or set a quota."""
    with unchanged():
        key = ("nginx:set", "client-max-body-size", "100g", "-a", "probe")
        told = alice.ssh(*key, check=False)
        assert "may be at most 1.0 GiB" in told.stderr
        told = alice.ssh("quota:set", "body=none", "-a", "probe", check=False)
        assert "Only an admin may set quotas" in told.stderr


def test_a_disk_filler(server: Server, alice: User) -> None:
    """Its pushes are refused before anything is sent, until it uses less; it keeps running."""
    app = push(alice, "hoard", {})
    alice.ssh("storage:add", "/app/data", "-a", "hoard")
    alice.ssh("ps:wait", "hoard")
    server.paas("quota:set", "hoard", "disk=20m")
    app.shell("head -c 40M /dev/urandom >data/file")
    boot = app.boot()
    (row,) = json.loads(alice.ssh("disk", "hoard", "--json").stdout)["apps"]
    assert row["storage_bytes"] >= 40_000_000

    told = alice.ssh("git:sync", "https://example.org/a.git", "-a", "hoard", check=False)
    assert "its quota is 20.0 MiB" in told.stderr
    told = alice.ssh("git-receive-pack 'hoard'", check=False)
    assert "its quota is 20.0 MiB" in told.stderr
    assert app.boot() == boot

    alice.ssh("run", "-a", "hoard", "rm /app/data/file")
    source = Repository.of(server.scratch / "hoard.again", {**FILES, "more": "x"})
    assert "Live: " in alice.push(source, "hoard", "--force").stdout
    alice.ssh("apps:destroy", "hoard", "--confirm", "hoard")
