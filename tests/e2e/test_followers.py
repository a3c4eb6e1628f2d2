"""A follower on a whole server: made, read, made its own in place of its leader, destroyed."""

import json
import re
from collections.abc import Callable

from tests.e2e.server import Repository, Server, User
from tests.e2e.test_datastores import directories
from tests.e2e.tiny import tiny
from tests.waiting import wait_for

APP = "ledger"


def query(alice: User, name: str, sql: str) -> str:
    """What psql prints for an app's datastore, or its error."""
    done = alice.ssh("pg:psql", name, "-a", APP, "-c", sql, check=False)
    return done.stdout + done.stderr


def info(alice: User, name: str) -> dict[str, object]:
    """What is known of a datastore."""
    found: dict[str, object] = json.loads(alice.ssh("pg:info", name, "-a", APP, "--json").stdout)
    return found


def followers(alice: User, name: str) -> list[tuple[str, str]]:
    """The name and the place of each, as their leader tells."""
    found = json.loads(json.dumps(info(alice, name)["followers"]))
    return [(one["name"], one["place"]) for one in found]


def test_from_a_follower_to_the_database(
    alice: User, server: Server, repository: Callable[[dict[str, str | bytes]], Repository]
) -> None:
    """The app reads what its leader has, and writes to it once it follows no longer."""
    before = directories(server)
    alice.push(repository(tiny()), APP)
    leader = server.paas("addons:create", "postgresql", "-a", APP).stdout.strip()
    query(alice, leader, "CREATE TABLE orders AS SELECT generate_series(1, 3) AS number")
    follower = alice.ssh("pg:follow", "DATABASE_URL", "-a", APP, "--as", "READS").stdout.strip()
    assert follower != leader
    wait_for(lambda: info(alice, follower)["place"] == "streaming", what="the follower")
    wait_for(lambda: followers(alice, leader) == [(follower, "streaming")], what="its leader")
    assert info(alice, follower)["following"] == leader
    query(alice, leader, "INSERT INTO orders VALUES (4)")
    counting = "SELECT count(*) FROM orders"
    wait_for(lambda: re.search(r"^ +4$", query(alice, "READS", counting), re.MULTILINE))
    assert "read-only transaction" in query(alice, "READS", "DELETE FROM orders")
    refused = alice.ssh("pg:promote", "READS", "-a", APP, check=False)
    assert f"pg:unfollow {follower}" in refused.stdout + refused.stderr
    assert server.paas("doctor", check=False).stdout.count(follower) == 0

    alice.ssh("pg:unfollow", "READS", "-a", APP)
    alice.ssh("pg:promote", "READS", "-a", APP)
    url = alice.ssh("config:get", "DATABASE_URL", "-a", APP).stdout
    assert follower in url
    assert follower.replace("-", "_") in url
    assert "INSERT" in query(alice, "DATABASE", "INSERT INTO orders VALUES (5)")
    assert "following" not in info(alice, follower)
    assert info(alice, leader)["followers"] == []

    alice.ssh("addons:detach", leader, "-a", APP)
    alice.ssh("addons:destroy", leader, "-a", APP, "--confirm", leader)
    alice.ssh("apps:destroy", APP, "--confirm", APP, "--confirm", follower)
    assert directories(server) == before
