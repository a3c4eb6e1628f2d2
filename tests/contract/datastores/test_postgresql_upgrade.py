"""Upgrades to another major version on real servers: Debian's former PostgreSQL and the present.

Where the former one is not there, the present one is upgraded to itself, which pg_upgrade takes.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paas.adapters.datastores.postgresql import programs
from paas.adapters.datastores.postgresql.archive import PgBackRestArchives
from paas.adapters.datastores.postgresql.server import PostgresqlServer
from paas.adapters.datastores.postgresql.upgrading import PostgresqlUpgrading
from paas.domain.datastores.archives import archive_name
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.names import DatastoreName
from paas.domain.values.errors import PaasError
from paas.interfaces import MajorUpgrades
from tests.contract.datastores.keeping import kill_unless_ended
from tests.contract.datastores.test_archives import Backups
from tests.contract.datastores.test_postgresql import ONE
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.fakes.output import FakeProgress
from tests.fakes.postgresql import FakeMajorUpgrades
from tests.old_postgresql import older
from tests.ports import free_port
from tests.processes import processes_of
from tests.uids import free_uids
from tests.waiting import wait_for

LIMIT_S = 150.0
UID = free_uids()


@dataclass
class Place:
    """Where servers run."""

    supervised: SupervisorServer
    server: PostgresqlServer
    archives: PgBackRestArchives
    upgrading: PostgresqlUpgrading
    new: str

    def root(self, one: Datastore) -> Path:
        return self.supervised.settings.paths.datastores / str(one.id)

    def start(self, one: Datastore) -> None:
        """What a command does, and what mends it after a kill."""
        self.server.refresh(one)
        self.supervised.runtime.start([self.server.workload(one)])
        self.server.set_up(one, LIMIT_S)

    def stop(self, one: Datastore) -> None:
        assert self.supervised.runtime.stop([self.server.workload(one)], LIMIT_S) == set()

    @contextmanager
    def made(self, number: int) -> Iterator[Datastore]:
        """One of the older version, with some data."""
        one = replace(
            ONE,
            id=number,
            name=DatastoreName(f"postgresql-old-{number}"),
            version=older(),
            uid=UID + number,
            port=free_port(),
        )
        self.server.create(one)
        self.start(one)
        try:
            sql(one, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
            yield one
        finally:
            self.stop(one)
            self.server.remove(one.id)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """supervisord, and what is asked."""
    new = programs.ensure_installed(FakeProgress())
    with running_supervisor() as supervised:
        found: SupervisorServer = supervised
        archives = PgBackRestArchives(found.settings, Backups())
        server = PostgresqlServer(found.settings, archives)
        upgrading = PostgresqlUpgrading(found.settings, archives)
        yield Place(found, server, archives, upgrading, new)


@pytest.fixture(params=["fake", "real"])
def each(request: pytest.FixtureRequest) -> MajorUpgrades:
    """Each of them."""
    if request.param == "fake":
        return FakeMajorUpgrades()
    found: Place = request.getfixturevalue("place")
    return found.upgrading


@pytest.fixture(scope="module")
def serving(place: Place) -> Iterator[Datastore]:
    """One that stays what it is."""
    with place.made(11) as one:
        yield one


def sql(one: Datastore, text: str) -> str:
    """What an app would see, by the newest psql."""
    done = subprocess.run(
        [
            *(str(programs.binaries(programs.versions()[-1]) / "psql"), "-X", "-A", "-t", "-q"),
            *("-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(one.port)),
            *("-U", one.login, "-d", one.database, "-c", text),
        ],
        env={"PGPASSWORD": one.password.reveal(), "LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip()


def test_versions_and_what_is_not_there(each: MajorUpgrades) -> None:
    """The newest is the last; to delete what was never made is no error."""
    versions = [int(version) for version in each.versions()]
    assert versions == sorted(versions)
    assert not each.delete_former(ONE, datetime.now(UTC))
    each.give_up(ONE)


def test_an_upgrade_keeps_all(place: Place) -> None:
    """Data, logins, rights, settings, extensions, checksums; the archive goes on with it."""
    with place.made(12) as made:
        one = replace(made, settings={"statement_timeout": "30000ms"})
        place.server.refresh(one)
        sql(one, "CREATE EXTENSION pg_trgm; CREATE VIEW seen AS SELECT count(*) FROM kept")
        place.archives.back_up(one, full=True)
        place.upgrading.prepare(one, place.new)
        place.stop(one)
        place.upgrading.copy(one, place.new)
        upgraded = replace(one, version=place.new)
        place.start(upgraded)
        place.upgrading.finish(upgraded)
        assert sql(upgraded, "SHOW server_version").startswith(place.new)
        assert sql(upgraded, "SELECT * FROM seen") == "1000"
        assert sql(upgraded, "SELECT similarity('a', 'a')") == "1"
        assert sql(upgraded, "SHOW statement_timeout") == "30s"
        assert sql(upgraded, "SHOW data_checksums") == "on"
        owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'kept'"
        assert sql(upgraded, owner) == f"{one.database}_owner"
        estimated = "SELECT reltuples FROM pg_class WHERE relname = 'kept'"
        assert sql(upgraded, estimated) == "1000"
        place.archives.flush(upgraded, LIMIT_S)
        place.archives.back_up(upgraded, full=True)
        holdings = place.archives.holdings(archive_name(upgraded), upgraded)
        assert holdings is not None
        assert holdings.version == place.new
        assert len(holdings.backups) == (1 if one.version != place.new else 2)
        assert not (place.root(one) / "upgrade").exists()
        is_kept = one.version != place.new
        former = place.root(one) / "former" / "PG_VERSION"
        assert former.exists() is is_kept
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert place.upgrading.delete_former(upgraded, tomorrow) is is_kept


def test_an_upgrade_that_fails_half_way(place: Place, serving: Datastore) -> None:
    """What pg_upgrade does not take is named; the former version serves, with all data."""
    sql(serving, "CREATE TABLE hindrance (kind regproc)")
    place.upgrading.prepare(serving, place.new)
    place.stop(serving)
    try:
        with pytest.raises(PaasError) as caught:
            place.upgrading.copy(serving, place.new)
    finally:
        place.upgrading.give_up(serving)
        place.start(serving)
    assert caught.value.reference == "pg-upgrade-failed"
    assert "hindrance" in "\n".join(caught.value.context)
    assert sql(serving, "SHOW server_version").startswith(serving.version)
    assert sql(serving, "SELECT count(*) FROM kept") == "1000"
    assert not (place.root(serving) / "upgrade").exists()
    sql(serving, "DROP TABLE hindrance")


def test_an_upgrade_that_is_killed(place: Place, serving: Datastore) -> None:
    """Nothing of it runs on, and the next start is that of the former version, with all data."""
    place.upgrading.prepare(serving, place.new)
    place.stop(serving)
    try:
        home = place.root(serving) / "upgrade"
        kill_unless_ended(
            lambda: place.upgrading.copy(serving, place.new),
            lambda: (home / "log").exists() and processes_of(serving.uid),
        )
        wait_for(lambda: not processes_of(serving.uid))
    finally:
        place.start(serving)
    assert not home.exists()
    assert sql(serving, "SHOW server_version").startswith(serving.version)
    assert sql(serving, "SELECT count(*) FROM kept") == "1000"
