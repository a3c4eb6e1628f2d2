"""A lost server: its databases come back from the backups and the key, as the how-to says."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from paas.domain.backups.targets import S3Target
from paas.domain.datastores.archives import DUE_COMMAND
from tests.contract.backups.s3_server import running_s3
from tests.e2e.server import Finished, Repository, Server, User
from tests.e2e.tiny import tiny
from tests.waiting import wait_for

APP = "shop"
BACKUP_LIMIT_S = 240


def info(server: Server, *words: str) -> dict[str, Any]:
    """What pg:info tells."""
    found: dict[str, Any] = json.loads(
        server.paas("pg:info", *words, "-a", APP, "--json", timeout_s=120).stdout
    )
    return found


def sql(server: Server, text: str, *words: str) -> str:
    """The first value that psql prints."""
    shown = server.paas("pg:psql", *words, "-a", APP, "-c", text, timeout_s=120).stdout
    found = re.search(r"^ +(\d+)$", shown, re.MULTILINE)
    return found[1] if found else shown


def to_bucket(server: Server, bucket: S3Target, *, check: bool = True) -> Finished:
    """Have backups go there, as the how-to does it."""
    words = ("--endpoint", str(bucket.endpoint), "--access-key", bucket.access_key)
    secret = bucket.secret_key.reveal()
    return server.paas(
        "backups:target", "s3", bucket.bucket, *words, stdin=secret, check=check, timeout_s=120
    )


def damage(objects: Path, name: str) -> None:
    """Change a byte in the middle of the first object of an archive's full backup."""
    first = min((objects / "archives" / name / "backup" / "main").glob("*F/bundle/*_object"))
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)


WRITE = {"mysql": "CREATE TABLE kept AS SELECT 42 AS n", "redis": "SET kept 42"}
READ = {"mysql": "SELECT n FROM kept", "redis": "GET kept"}
CLIENT = {"mysql": "mysql:client", "redis": "redis:cli"}


def with_backup(server: Server, alice: User, kind: str) -> str:
    """The name of a MariaDB or a Redis of the app, with something in it that is backed up."""
    name = server.paas("addons:create", kind, "-a", APP, timeout_s=180).stdout.strip()
    server.paas(CLIENT[kind], name, "-a", APP, "-c", WRITE[kind], timeout_s=120)
    alice.ssh(f"{kind}:backups:capture", name, "-a", APP, timeout_s=180)
    return name


def recovered(server: Server, kind: str, former: str) -> str:
    """What is in a datastore that is made of the only backup of another one."""
    listed = json.loads(server.paas("backups:recover", "--json").stdout)
    (backup,) = [one["name"] for one in listed if one["name"].startswith(f"{former}/")]
    made = server.paas("backups:recover", backup, "-a", APP, timeout_s=240).stdout.strip()
    assert made != former
    return server.paas(CLIENT[kind], made, "-a", APP, "-c", READ[kind], timeout_s=120).stdout


# The monitor's turns are awaited, and two servers are installed.
@pytest.mark.timeout(600)
def test_from_a_dropped_table_to_a_lost_server(
    new_server: Callable[..., Server],
    repository: Callable[[dict[str, str | bytes]], Repository],
    tmp_path: Path,
) -> None:
    """A fork has the table; an empty server with a bucket, or a directory, and the key has all."""
    certificate = tmp_path / "tls.crt"
    own = {"build_env": {"SSL_CERT_FILE": str(certificate)}, "datastores_turn_s": 15}
    with running_s3(tmp_path, tls=True) as bucket:
        # For the certificate, which the servers know when they start.
        port = int(str(bucket.endpoint).rpartition(":")[2])
    server = new_server(**own)
    alice = server.user("alice")
    alice.push(repository(tiny()), APP)
    name = server.paas("addons:create", "postgresql", "-a", APP, timeout_s=180).stdout.strip()
    sql(server, "CREATE TABLE orders AS SELECT generate_series(1, 42) AS n")
    # The monitor makes the first backup, and archives at each turn.
    wait_for(lambda: info(server).get("restorable_to"), limit_s=BACKUP_LIMIT_S)
    earliest = datetime.fromisoformat(info(server)["restorable_from"])
    wait_for(lambda: datetime.now(UTC) >= earliest)
    moment = datetime.now(UTC)
    sql(server, "DROP TABLE orders")
    told = f"{moment:%Y-%m-%d %H:%M:%S.%f}"
    fork = alice.ssh("pg:fork", "-a", APP, "--to", told, timeout_s=180).stdout.strip()
    assert re.fullmatch(r"postgresql-[a-z0-9-]+", fork)
    assert sql(server, "SELECT count(*) FROM orders", fork) == "42"
    assert (
        "does not exist"
        in server.paas(
            "pg:psql", name, "-a", APP, "-c", "SELECT count(*) FROM orders", check=False
        ).stderr
    )
    early = alice.ssh("pg:fork", name, "-a", APP, "--to", "2020-01-01", check=False)
    assert early.returncode == 1, early
    assert "It can be restored to moments from" in early.stderr
    sql(server, "CREATE TABLE late AS SELECT 7 AS n", name)
    # Archives all that was written until then.
    rehearsed = alice.ssh("pg:rehearse", name, "-a", APP, timeout_s=180).stderr
    assert "matches the original: 1 table" in rehearsed
    assert info(server, name)["rehearsal"] == "done"
    assert server.paas("doctor", check=False).stdout.count("archives") == 0
    others = {kind: with_backup(server, alice, kind) for kind in READ}
    saved = tmp_path / "backups"
    shutil.copytree(server.state / "backups", saved)
    (saved / ".paas-backups").touch()
    key = tmp_path / "backups.key"
    key.write_text(server.paas("backups:key").stdout)

    # From now on in a bucket, which is away for a while: everybody works on.
    with running_s3(tmp_path, tls=True, port=port) as bucket:
        to_bucket(server, bucket)
        # What the monitor has done at each turn.
        server.paas(DUE_COMMAND, timeout_s=180)
        assert info(server, name)["backups_in"].startswith("the bucket")
    sql(server, "CREATE TABLE meanwhile AS SELECT 8 AS n", name)
    away = alice.ssh("pg:fork", name, "-a", APP, check=False, timeout_s=120)
    assert "cannot be reached" in away.stderr
    tried = server.paas("backups:test", check=False, timeout_s=120)
    assert "did not accept or return" in tried.stderr
    with running_s3(tmp_path, tls=True, port=port) as bucket:
        rehearsed = alice.ssh("pg:rehearse", name, "-a", APP, timeout_s=180).stderr
        assert "matches the original: 2 tables" in rehearsed
        server.remove()

        empty = new_server(**own)
        (empty.root / "etc" / "backups.key").write_bytes(key.read_bytes())
        refused = to_bucket(empty, replace(bucket, access_key="NOBODY"), check=False)
        assert "InvalidAccessKeyId" in refused.stderr
        to_bucket(empty, bucket)
        archives = json.loads(empty.paas("backups:recover", "--json").stdout)
        (archive,) = [one["name"] for one in archives if one["name"].startswith(f"{name}.")]
        assert {one["app"] for one in archives} == {APP}
        bob = empty.user("bob")
        bob.ssh("apps:create", APP)
        made = empty.paas("backups:recover", archive, "-a", APP, timeout_s=240).stdout.strip()
        bob.push(repository(tiny()), APP)
        assert sql(empty, "SELECT n FROM meanwhile", made) == "8"

        # With another key, or a damaged object, nothing is made, and the reason is said.
        (empty.root / "etc" / "backups.key").unlink()
        refused = empty.paas("backups:recover", archive, "-a", APP, check=False)
        assert refused.returncode == 1, refused
        assert "another key" in refused.stderr
        (empty.root / "etc" / "backups.key").write_bytes(key.read_bytes())
        damage(tmp_path / "data" / bucket.bucket, archive)
        refused = empty.paas("backups:recover", archive, "-a", APP, check=False, timeout_s=240)
        assert re.search(r"Of the backup \d{8}-\d{6}F, \d+ files? cannot be read", refused.stderr)

    # The directory that survived has what was written until then.
    empty.paas("backups:target", "local", str(saved))
    made = empty.paas("backups:recover", archive, "-a", APP, timeout_s=240).stdout.strip()
    assert sql(empty, "SELECT n FROM late", made) == "7"
    for kind, former in others.items():
        assert "42" in recovered(empty, kind, former)
