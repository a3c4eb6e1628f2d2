"""A full disk: what frees space works, what cannot be done is reported and undone."""

import json
from collections.abc import Callable
from contextlib import suppress

from tests.e2e.probe import App, push
from tests.e2e.server import Server
from tests.waiting import wait_for


def fill(server: Server) -> None:
    """Use every byte of the disk that the server's data is on."""
    with suppress(OSError), (server.state / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


def test_what_frees_space_works(new_server: Callable[..., Server]) -> None:
    """The platform holds a reserve for it; other apps serve on, and changes are refused."""
    server = new_server(disk_mib=700, min_free_mib=8, reserve_mib=8)
    server.disk_of_its_own(128)
    alice = server.user("alice")
    gone: App = push(alice, "gone", {})
    stays: App = push(alice, "stays", {})
    alice.ssh("storage:add", "/app/data", "-a", "stays")
    alice.ssh("ps:wait", "stays")
    stays.shell("head -c 2M /dev/zero >data/big; head -c 1M /dev/zero >data/small")
    held = server.state / "reserve/space"
    wait_for(held.exists, limit_s=90, what="the reserve")

    fill(server)
    refused = alice.ssh("config:set", "A=1", "-a", "stays", check=False)
    assert "The server's disk is full" in refused.stderr
    kept = json.loads(alice.ssh("releases", "stays", "--json").stdout)
    assert "pending" not in {release["status"] for release in kept}
    alice.ssh("run", "-a", "stays", "rm /app/data/big")
    assert stays.shell("ls data") == "small\n"

    fill(server)
    alice.ssh("storage:remove", "/app/data", "-a", "stays", "--confirm", "stays")
    # The command's client leaves when the change is live; the files go when no instance uses them.
    storage = server.state / "storage"
    wait_for(lambda: not list(storage.glob("*/*")), what="the end of the files")

    fill(server)
    told = alice.ssh("builds:cache:purge", "-a", "gone").stderr
    assert "Purged the build cache of gone" in told

    fill(server)
    boot = stays.boot()
    told = alice.ssh("apps:destroy", "gone", "--confirm", "gone").stderr
    assert "not all" not in told
    assert json.loads(alice.ssh("apps", "--json").stdout)[0]["name"] == "stays"
    assert server.get("gone").status == 404
    assert gone.boot() == ""
    assert stays.boot() == boot
    (server.state / "filler").unlink()
    alice.ssh("config:set", "A=1", "-a", "stays")
