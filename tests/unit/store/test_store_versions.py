"""A database that an earlier version of paas wrote opens, with all that is in it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from paas.domain.apps.storage import Storage
from paas.domain.certificates.certificates import Origin
from paas.domain.people.users import Role
from paas.domain.releases.artifacts import NATIVE
from paas.domain.releases.formation import WEB
from paas.domain.releases.releases import Status
from paas.domain.server.allocations import Ranges
from paas.domain.values.names import UserName
from paas.store import Store
from paas.store.schema import MIGRATIONS

# The schema of 28 November 2026, and a row in each of its tables.
VERSION = 12
AT = "2026-11-28T12:00:00+00:00"
FACTS = (
    '{"names": ["a.test"], "issuer": "X", "not_before": "2026-11-01T00:00:00+00:00", '
    '"not_after": "2027-02-01T00:00:00+00:00", "serial": "1", "key": "EC P-256", '
    '"fingerprint": "ab", "chain": [], "self_signed": false}'
)
ROUTING = (
    '{"domains": ["a.test"], "own_host": true, "redirects": [], "settings": {}, "users": {}, '
    '"statics": []}'
)
ROWS = (
    f"users VALUES ('bob', 'admin', '{AT}')",
    f"keys VALUES ('SHA256:x', 'bob', 'ssh-ed25519', 'AAAA', 'bob@home', '{AT}')",
    f"apps VALUES (1, 'shop', 70000, 'bob', 'trunk', 1, 5, '{AT}')",
    "formation VALUES (1, 'web', 2)",
    f"builds VALUES ('1-a', 1, 'abc', 'bob', 'succeeded', NULL, '{AT}', '{AT}')",
    f"slugs VALUES ('1-a', 1, 'abc', '{{\"web\": \"run\"}}', 10, '{AT}', NULL, NULL)",
    f"releases VALUES (1, 1, '1-a', '{{\"A\": \"1\"}}', 'succeeded', 'Deploy', 'bob', '{AT}')",
    "instances VALUES (1, 1, 5, 'web', 1, 5000, NULL)",
    "generations VALUES (5)",
    "buildpacks VALUES (1, 1, 'python')",
    "build_dirs VALUES (1, 'web')",
    "stopped VALUES (1, 'worker')",
    f"app_locks VALUES (1, 'bob', 'moving', '{AT}')",
    "storage VALUES (3, 1, '/app/data')",
    "maintenance VALUES (1)",
    f"routing VALUES (1, '{ROUTING}')",
    "hosts VALUES ('a.test', 1)",
    "drains VALUES ('d.1', 1, 'syslog://logs.test:514')",
    f"cron VALUES (1, 'nightly', 1, '{AT}', '{AT}', 'bob', '{AT}', 0, 2, '{AT}')",
    f"certificates VALUES ('1-c', 1, 'own', '{FACTS}', '{AT}', NULL)",
    "auto_certificates VALUES (1)",
    f"certificate_attempts VALUES (1, 'a.test', 1, '{AT}', '{AT}', 'refused', '[\"{AT}\"]')",
    "destroyed VALUES (2, 70001)",
    "gone VALUES ('slug', '1-z')",
    "start_limits VALUES (1, 120)",
)


def make(path: Path) -> None:
    """The database as that version left it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        for statement in ";".join(MIGRATIONS[:VERSION]).split(";"):
            made.execute(statement)
        for row in ROWS:
            made.execute(f"INSERT INTO {row}")
        made.execute(f"PRAGMA user_version = {VERSION}")
        tables = {name for (name,) in made.execute("SELECT name FROM pragma_table_list")}
        own = {name for name in tables if not name.startswith("sqlite_")}
        assert own == {row.split()[0] for row in ROWS} | {"identity"}


def test_a_database_of_version_12(tmp_path: Path) -> None:
    """Each noun reads what was written."""
    path = tmp_path / "state.db"
    make(path)
    store = Store(path, Ranges((70000, 70999)))
    now = datetime.fromisoformat(AT)
    (app,) = store.apps.all()
    assert (app.name, app.uid, app.owner, app.deploy_branch) == ("shop", 70000, "bob", "trunk")
    assert (app.current, app.rollout_id, app.created_at) == (1, 5, now)
    assert app.storage == (Storage(3, "/app/data"),)
    assert app.engine == NATIVE
    user = store.users.find(UserName("bob"))
    assert user is not None
    assert user.role is Role.ADMIN
    assert [key.fingerprint for key in store.keys.all()] == ["SHA256:x"]
    assert store.formations.of_app(1) == {WEB: 2}
    assert [(b.id, b.status, b.ended_at) for b in store.builds.of_app(1)] == [
        ("1-a", Status.SUCCEEDED, now)
    ]
    slug = store.slugs.find("1-a")
    assert slug is not None
    assert (slug.processes, slug.static, slug.app_json) == ({WEB: "run"}, None, None)
    (release,) = store.releases.of_app(1)
    assert (release.version, release.config["A"].reveal()) == (1, "1")
    (instance,) = store.instances.all()
    assert (instance.label, instance.port, instance.is_live(app)) == ("web.1", 5000, True)
    assert store.instances.next_rollout_id() == 6
    assert [pack.source for pack in store.buildpacks.of_app(1)] == ["python"]
    assert store.build_dirs.of_app(1) == "web"
    assert store.stopped.of_app(1) == {"worker"}
    assert store.maintenance.is_on(1)
    assert store.start_limits.of_app(1) == 120
    lock = store.app_locks.of_app(1)
    assert lock is not None
    assert (lock.user, lock.reason, lock.at) == ("bob", "moving", now)


def test_routing_logs_and_certificates_of_version_12(tmp_path: Path) -> None:
    """The nouns that keep a part of theirs as JSON, and what is remembered of what was removed."""
    path = tmp_path / "state.db"
    make(path)
    store = Store(path, Ranges((70000, 70999)))
    now = datetime.fromisoformat(AT)
    assert store.routing.of_app(1).domains == ("a.test",)
    assert store.routing.host_owner("a.test") == 1
    assert [drain.url.reveal() for drain in store.drains.all()] == ["syslog://logs.test:514"]
    state = store.cron.of_app(1)["nightly"]
    assert (state.suspended, state.started, state.status, state.missed) == (True, now, 0, 2)
    (certificate,) = store.certificates.all()
    assert (certificate.origin, certificate.facts.names) == (Origin.OWN, ("a.test",))
    assert certificate.facts.not_after == datetime(2027, 2, 1, tzinfo=UTC)
    assert store.certificates.auto_choices() == {1: True}
    (attempt,) = store.certificates.attempts(1)
    assert (attempt.host, attempt.refusals) == ("a.test", (now,))
    assert store.apps.destroyed() == [2]
    assert store.gone.of_kind("slug") == {"1-z"}
