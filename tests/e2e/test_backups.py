"""Backups of PostgreSQL on a whole server: made, restored, carried elsewhere, made by the clock."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from paas.adapters.backups import age
from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import tiny
from tests.waiting import wait_for


def sql(server: Server, app: str, statement: str) -> str:
    """What psql prints."""
    return server.paas("pg:psql", "-a", app, "-c", statement).stdout


def rows(server: Server, app: str) -> int:
    """How many orders there are."""
    found = re.search(r"^ +(\d+)$", sql(server, app, "SELECT count(*) FROM orders"), re.MULTILINE)
    assert found is not None
    return int(found[1])


def piped(alice: User, words: tuple[str, ...], content: bytes = b"") -> bytes:
    """What a command prints, byte for byte."""
    argv = [*alice.ssh_argv(), "paas@127.0.0.1", " ".join(words)]
    done = subprocess.run(argv, input=content, capture_output=True, check=False, timeout=150)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_a_backup_brings_a_dropped_table_back(
    server: Server,
    repository: Callable[[dict[str, str | bytes]], Repository],
) -> None:
    """And an export goes into another database; nothing of either is in the clear."""
    alice = server.user("alice")
    names = {}
    for app in ("orders", "staging"):
        alice.push(repository(tiny()), app)
        made = server.paas("addons:create", "postgresql", "-a", app)
        names[app] = made.stdout.strip()
    sql(
        server,
        "orders",
        "CREATE TABLE orders AS SELECT n, 'canary-7d1c0a' AS what FROM generate_series(1, 3000) n",
    )
    backup = alice.ssh("pg:backups:capture", "-a", "orders").stdout.strip()
    (shown,) = json.loads(alice.ssh("pg:backups", "orders", "--json").stdout)
    assert (shown["name"], shown["state"], shown["datastore"]) == (
        backup,
        "done",
        names["orders"],
    )
    # Beside it are notes, and what other tests on this server back up.
    (stored,) = Path(server.state / "backups").rglob(f"{backup}-*.dump.age")
    assert stored.stat().st_mode & 0o777 == 0o600
    assert b"canary-7d1c0a" not in stored.read_bytes()

    sql(server, "orders", "DROP TABLE orders")
    refused = alice.ssh("pg:backups:restore", backup, "-a", "orders", check=False)
    assert f"--confirm {names['orders']}" in refused.stderr
    confirm = ("--confirm", names["orders"])
    alice.ssh("pg:backups:restore", backup, "-a", "orders", *confirm)
    assert rows(server, "orders") == 3000

    dump = piped(alice, ("pg:export", "-a", "orders"))
    assert dump.startswith(b"PGDMP")
    piped(alice, ("pg:import", "-a", "staging"), dump)
    assert rows(server, "staging") == 3000
    half = subprocess.run(
        [*alice.ssh_argv(), "paas@127.0.0.1", f"pg:import -a staging --confirm {names['staging']}"],
        input=dump[: len(dump) // 2],
        capture_output=True,
        check=False,
        timeout=150,
    )
    assert half.returncode == 1, half
    assert b"incomplete" in half.stderr
    assert rows(server, "staging") == 3000
    # An embedded server has ports for four datastores, and other tests on this one need them, too.
    confirmed = ("--confirm", "staging", "--confirm", names["staging"])
    alice.ssh("apps:destroy", "staging", *confirmed)

    downloaded = piped(alice, ("pg:backups:download", backup, "-a", "orders"))
    key = age.read_key(server.paas("backups:key").stdout.strip())
    opened: list[bytes] = []
    age.decrypt(iter([stored.read_bytes()]), opened.append, key)
    assert b"".join(opened) == downloaded
    server.paas("backups:key", "--confirm-saved")
    info = alice.ssh("pg:info", "-a", "orders").stdout
    assert re.search(rf"^Last backup: +{backup}, ", info, re.MULTILINE)
    assert "backups:key" not in info

    damaged = bytearray(stored.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    stored.write_bytes(damaged)
    bad = alice.ssh("pg:backups:restore", backup, "-a", "orders", *confirm, check=False)
    assert "is damaged" in bad.stderr
    assert rows(server, "orders") == 3000
    alice.ssh("pg:backups:delete", backup, "-a", "orders", "--confirm", backup)
    assert not stored.exists()


def test_the_clock_makes_one(
    new_server: Callable[..., Server],
    repository: Callable[[dict[str, str | bytes]], Repository],
) -> None:
    """Without anybody's command; a schedule that was missed is made up for, and none is told of."""
    server = new_server(datastores_turn_s=1)
    server.user("alice").push(repository(tiny()), "shop")
    server.paas("addons:create", "postgresql", "-a", "shop")
    # Due as of a moment after the schedule was set, a day ago; and not again before long.
    hour = (datetime.now(UTC) + timedelta(hours=12)).hour
    server.paas("pg:backups:schedule", "-a", "shop", "--at", f"{hour:02}:00 UTC")
    database = server.state / "state.db"
    subprocess.run(
        ["python3", "-c", _LONG_AGO, str(database)],
        check=True,
    )

    def made() -> bool:
        found = json.loads(server.paas("pg:backups", "shop", "--json").stdout)
        return [(one["state"], one["user"]) for one in found] == [("done", None)]

    wait_for(made, what="the backup")
    _tell_of_none(server)


def _tell_of_none(server: Server) -> None:
    """Have the backups fail, and the last one be long ago: the operator's command is told of it."""
    (server.state / "backups").rename(server.state / "backups-before")
    (server.state / "backups").write_text("no directory")
    subprocess.run(
        ["python3", "-c", _NONE_SINCE_THEN, str(server.state / "state.db")],
        check=True,
    )
    folder = server.root / "told"
    folder.mkdir()
    folder.chmod(0o777)
    settings = server.root / "etc/server.yml"
    script = f"cat > {folder}/$$; id -un >> {folder}/$$; mv {folder}/$$ {folder}/text"
    command = {"alarm_command": ["/bin/sh", "-c", script]}
    settings.write_text(settings.read_text() + yaml.safe_dump(command))
    wait_for((folder / "text").exists, what="the alarm")
    told, account = (folder / "text").read_text().splitlines()
    assert re.fullmatch(r"shop: postgresql-\S+ has had no good backup since 2026-01-01 .*", told)
    assert account == "nobody"
    status = json.loads(server.paas("server:status", "--json").stdout)
    assert len(status["datastores"]["without_backup"]) == 1
    assert any("no good backup" in one["message"] for one in status["warnings"])


_NONE_SINCE_THEN = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=60) as database:
    long_ago = "2026-01-01T00:00:00+00:00"
    database.execute("UPDATE dumps SET started_at = ?, ended_at = ?", (long_ago, long_ago))
"""
_LONG_AGO = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=60) as database:
    database.execute("UPDATE dump_schedules SET since = '2026-01-01T00:00:00+00:00'")
"""
