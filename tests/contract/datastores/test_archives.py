"""Archives on real PostgreSQL and pgBackRest, under supervisord: backup, fork, rehearsal, recovery.

And what happens when the target is away, the key is another, or a file of the archive is damaged.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from paas.adapters.backups.local import MARK
from paas.adapters.datastores.postgresql import programs
from paas.adapters.datastores.postgresql.archive import PgBackRestArchives
from paas.adapters.datastores.postgresql.server import PostgresqlServer
from paas.domain.backups.keys import BackupKey
from paas.domain.backups.targets import LocalTarget, Target
from paas.domain.datastores.archives import ArchiveName, archive_name
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import DatastoreArchives
from tests.contract.backups.s3_server import running_s3
from tests.contract.datastores.keeping import kill_unless_ended
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.fakes.archives import FakeArchives
from tests.fakes.output import FakeProgress
from tests.ports import free_port
from tests.processes import processes_of, with_words
from tests.uids import free_uids
from tests.waiting import wait_for

UID = free_uids()
LIMIT_S = 150.0
ONE = Datastore(
    id=3,
    name=DatastoreName("postgresql-curly-1234"),
    kind=DatastoreKind.POSTGRESQL,
    version="15",
    plan=SMALL,
    app_id=1,
    uid=UID,
    port=free_port(),
    state=DatastoreState.READY,
    password=Secret("first"),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
FORK = replace(
    ONE,
    id=4,
    name=DatastoreName("postgresql-other-5678"),
    uid=UID + 1,
    port=free_port(),
    password=Secret("second"),
)


@dataclass
class Backups:
    """`BackupSettings`, of which archives read only target and key."""

    where: Target = field(default_factory=LocalTarget)
    identity: str = "AGE-SECRET-KEY-1TEST"

    def target(self) -> Target:
        return self.where

    def set_target(self, target: Target) -> None:
        self.where = target

    def key(self) -> BackupKey:
        return BackupKey(Secret(self.identity), Secret("age1test"))

    def saved_at(self) -> datetime | None:
        return None

    def note_saved(self, at: datetime) -> None:
        """Nobody asks."""


@dataclass
class World:
    """A datastore that archives, with a full backup."""

    supervised: SupervisorServer
    backups: Backups
    archives: PgBackRestArchives
    server: PostgresqlServer
    # What the last one logged that ended.
    said: str = ""

    @property
    def repository(self) -> Path:
        return self.supervised.settings.paths.backups / "archives" / archive_name(ONE)

    def sql(self, text: str, one: Datastore = ONE) -> str:
        """What an app would see."""
        done = subprocess.run(
            [
                *(str(programs.binaries(one.version) / "psql"), "-X", "-A", "-t", "-q"),
                *("-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(one.port)),
                *("-U", one.login, "-d", one.login),
            ],
            input=text,
            env={"PGPASSWORD": one.password.reveal(), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or done.stderr.strip()

    @contextmanager
    def serving(self, one: Datastore) -> Iterator[None]:
        """It, whose files are there, for a while."""
        self.server.refresh(one)
        workload = self.server.workload(one)
        self.supervised.runtime.start([workload])
        try:
            self.server.set_up(one, LIMIT_S)
            yield
        finally:
            self.supervised.runtime.stop([workload], LIMIT_S)
            log = self.supervised.settings.paths.datastores / str(one.id) / "log"
            self.said = "".join(path.read_text() for path in log.glob("postgresql-*.log"))
            self.server.remove(one.id)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One for all tests, since it takes long to make."""
    programs.ensure_installed(FakeProgress())
    with running_supervisor() as supervised:
        backups = Backups()
        archives = PgBackRestArchives(supervised.settings, backups)
        archives.ensure_installed(FakeProgress())
        assert archives.lack() is None
        found = World(
            supervised, backups, archives, PostgresqlServer(supervised.settings, archives)
        )
        found.server.create(ONE)
        with found.serving(ONE):
            found.sql("CREATE TABLE old AS SELECT generate_series(1, 1000) AS n")
            archives.back_up(ONE, full=True)
            # Its end is known to the second, and only later moments can be restored.
            holdings = archives.holdings(archive_name(ONE), ONE)
            assert holdings is not None
            oldest = holdings.oldest
            assert oldest is not None
            wait_for(lambda: datetime.now(UTC) > oldest)
            yield found


@pytest.fixture(params=["fake", "real"])
def either(request: pytest.FixtureRequest) -> DatastoreArchives:
    """Archives with a full backup of a datastore."""
    if request.param == "real":
        world: World = request.getfixturevalue("world")
        return world.archives
    fake = FakeArchives()
    fake.back_up(ONE, full=True)
    return fake


def test_what_each_kind_tells(either: DatastoreArchives) -> None:
    """Of what it has, and of what it never had."""
    name = archive_name(ONE)
    assert either.lack() is None
    assert either.is_kept(ONE)
    assert either.reaches_target(ONE)
    either.refuse_unreachable()
    before = either.holdings(name, ONE)
    either.back_up(ONE, full=False)
    after = either.holdings(name, ONE)
    assert before is not None
    assert after is not None
    assert [one.full for one in after.backups] == [*(one.full for one in before.backups), False]
    assert after.oldest == before.oldest
    either.beat(ONE)
    assert either.flush(ONE, LIMIT_S) >= either.flush(ONE, LIMIT_S) - timedelta(minutes=5)
    assert either.archiving(ONE).lost_since is None
    assert not either.has_lost(ONE)
    size_bytes, free_bytes = either.space(ONE)
    assert 0 < size_bytes < free_bytes
    unknown = ArchiveName("postgresql-nobody-1.20260101T000000Z")
    assert either.holdings(unknown, None) is None
    either.remove(unknown)


def test_it_archives_and_knows_how_far(world: World) -> None:
    """A row is written and archived with its log file; the archive has one full backup."""
    before = datetime.now(UTC)
    assert world.archives.is_kept(ONE)
    world.archives.beat(ONE)
    wait_for(lambda: (world.archives.archiving(ONE).restorable_to or before) > before)
    assert world.archives.archiving(ONE).failing_since is None
    found = world.archives.holdings(archive_name(ONE), ONE)
    assert found is not None
    assert found.version == "15"
    assert found.backups[0].full
    world.archives.back_up(ONE, full=False)
    found = world.archives.holdings(archive_name(ONE), ONE)
    assert found is not None
    assert not found.backups[-1].full
    assert found.backups[-1].stored_bytes < found.backups[0].stored_bytes


def test_a_fork_has_what_was_dropped_since(world: World) -> None:
    """It is a datastore of its own, with its own names, and the original is as it was."""
    world.sql("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n; ")
    world.sql("INSERT INTO old VALUES (1001)")  # the others are in the backup
    world.sql("CREATE TABLE later (n int)")
    moment = world.archives.flush(ONE, LIMIT_S)
    world.sql("DROP TABLE kept")
    world.archives.flush(ONE, LIMIT_S)
    began = time.monotonic()
    world.archives.fork(ONE, FORK, moment)
    print(f"fork: {time.monotonic() - began:.1f} s")
    with world.serving(FORK):
        assert world.sql("SELECT count(*) FROM kept", FORK) == "1000"
        assert world.sql("SELECT count(*) FROM old", FORK) == "1001"
        owner = world.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'kept'", FORK)
        assert owner == f"{FORK.login}_owner"
        world.sql("INSERT INTO later VALUES (1)", FORK)
        assert "password authentication failed" in world.sql(
            "SELECT 1", replace(FORK, password=ONE.password)
        )
        # It writes to an archive of its own.
        assert world.archives.is_kept(FORK)
        world.archives.back_up(FORK, full=True)
        found = world.archives.holdings(archive_name(FORK), FORK)
        assert found is not None
        assert len(found.backups) == 1
        world.archives.remove(archive_name(FORK))
    assert "does not exist" in world.sql("SELECT count(*) FROM kept")
    assert world.sql("SELECT count(*) FROM later") == "0"
    world.sql("DROP TABLE later")


def test_a_rehearsal_finds_the_copy_as_the_original(world: World) -> None:
    """Nothing of it is left, and nobody could reach it meanwhile."""
    world.sql("CREATE TABLE many AS SELECT generate_series(1, 5000) AS n; ANALYZE many;")
    # What an app sets for its database must not reach the superuser's queries.
    world.sql(
        "CREATE SCHEMA evil; CREATE TABLE evil.pg_class (n int); "
        f"ALTER DATABASE {ONE.login} SET search_path = evil, pg_catalog, public"
    )
    before = datetime.now(UTC)
    world.archives.beat(ONE)
    found = world.archives.rehearse(ONE)
    assert found.problems == ()
    assert found.tables == 3
    assert found.restored_to is not None
    assert found.restored_to >= before
    root = world.supervised.settings.paths.datastores / str(ONE.id)
    assert not (root / "rehearsal").exists()
    needed, free = world.archives.space(ONE)
    assert 10_000_000 < needed < free
    world.sql(f"ALTER DATABASE {ONE.login} RESET search_path; DROP SCHEMA evil CASCADE;")
    world.sql("DROP TABLE many")


def test_one_that_is_read_only_has_copies_that_are_not(world: World) -> None:
    """It is backed up as it is; a fork of it can be written to, and a rehearsal checks it."""
    mine = world.server.queries

    def make(value: str) -> None:
        mine.run(ONE, f"ALTER SYSTEM SET default_transaction_read_only = {value};")
        mine.run(ONE, "SELECT pg_reload_conf();")
        # As the app: the platform's own sessions stay able to write.
        wait_for(lambda: world.sql("SHOW default_transaction_read_only").strip() == value)

    try:
        make("on")
        assert "read-only transaction" in world.sql("CREATE TABLE refused (n int)")
        world.archives.back_up(ONE, full=False)
        world.archives.beat(ONE)
        found = world.archives.holdings(archive_name(ONE), ONE)
        assert found is not None
        last = found.backups[-1].stopped + timedelta(seconds=1)
        wait_for(lambda: datetime.now(UTC) > last)
        assert world.archives.rehearse(ONE).problems == ()
        world.archives.fork(ONE, FORK, world.archives.flush(ONE, LIMIT_S))
        with world.serving(FORK):
            assert world.sql("CREATE TABLE taken (n int)", FORK) == ""
    finally:
        make("off")


def test_another_key_is_named(world: World) -> None:
    """Before anything is made."""
    world.archives.leave(ONE, kept=True)
    world.backups.identity = "AGE-SECRET-KEY-1OTHER"
    try:
        with pytest.raises(PaasError) as caught:
            world.archives.holdings(archive_name(ONE), None)
    finally:
        world.backups.identity = Backups().identity
        world.archives.prepare(ONE)
        subprocess.run(["chown", "-R", f"{UID}:{UID}", world.repository], check=True)
    assert caught.value.reference == "archive-key", caught.value.report


def test_a_target_that_is_away_stops_no_app(world: World) -> None:
    """Writes go on, the log waits and is archived when it is back, and what fails is known."""
    world.archives.flush(ONE, LIMIT_S)
    with served_by_root(world.repository):
        with pytest.raises(PaasError) as caught:
            world.archives.flush(ONE, 5)
        assert caught.value.reference == "archive-behind"
        wait_for(lambda: world.archives.archiving(ONE).failing_since is not None)
        assert world.sql("CREATE TABLE meanwhile (n int); DROP TABLE meanwhile;") == ""
        world.archives.beat(ONE)
    # Another log file has PostgreSQL try again, as it does by itself after a minute.
    world.archives.flush(ONE, LIMIT_S)
    assert world.archives.archiving(ONE).failing_since is None


def recovered(world: World, moment: datetime | None = None) -> None:
    """A datastore from the archive alone, as on another server."""
    world.archives.recover(archive_name(ONE), FORK, moment)


def test_an_archive_alone_brings_the_data_back(world: World) -> None:
    """Up to its end, into a datastore of another name; the archive stays as it is."""
    world.sql("CREATE TABLE brought AS SELECT generate_series(1, 50) AS n")
    world.archives.flush(ONE, LIMIT_S)
    before = sorted(path for path in world.repository.rglob("*"))
    recovered(world)
    with world.serving(FORK):
        assert world.sql("SELECT count(*) FROM brought", FORK) == "50"
    assert sorted(path for path in world.repository.rglob("*")) == before
    world.sql("DROP TABLE brought")


@contextmanager
def elsewhere(world: World, directory: Path) -> Iterator[Path]:
    """A copy of the archive as the target."""
    copy = directory / "archives" / archive_name(ONE)
    copy.parent.mkdir()
    subprocess.run(["cp", "-a", world.repository, copy], check=True)
    (directory / MARK).touch()
    world.backups.where = LocalTarget(PurePosixPath(directory))
    try:
        yield copy
    finally:
        world.backups.where = LocalTarget()


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_archive_is_refused_by_the_name_of_its_file(
    world: World, tmp_path: Path, damage: str
) -> None:
    """Whatever lacks; nothing runs, and the original is as it was."""
    with elsewhere(world, tmp_path) as copy:
        backup = next(path for path in copy.glob("backup/main/*F") if path.is_dir())
        bundle = next(iter(sorted((backup / "bundle").iterdir())))
        if damage == "missing":
            bundle.unlink()
        else:
            os.truncate(bundle, bundle.stat().st_size // 2)
        with pytest.raises(PaasError) as caught:
            recovered(world)
    world.server.remove(FORK.id)
    assert caught.value.reference == "archive-not-restored"
    said = " ".join(caught.value.context)
    # What pgBackRest itself says of one that was cut depends on where its buffers end.
    assert damage == "cut" or "bundle/1" in said
    assert f"Of the backup {backup.name}, " in said
    assert "cannot be read, such as pg_data/" in said
    wait_for(lambda: not processes_of(FORK.uid))


@pytest.mark.parametrize("to_the_end", [False, True])
def test_log_files_that_were_cut_are_refused(
    world: World, tmp_path: Path, *, to_the_end: bool
) -> None:
    """They are named; neither a moment that needs them can be reached, nor the archive's end."""
    moment = world.archives.flush(ONE, LIMIT_S)
    world.archives.flush(ONE, LIMIT_S)
    with elsewhere(world, tmp_path) as copy:
        files = sorted(path for path in copy.rglob("archive/main/*/*/*.zst"))
        os.truncate(files[-2], files[-2].stat().st_size // 2)
        os.truncate(files[-1], files[-1].stat().st_size // 2)
        with pytest.raises(PaasError) as caught:
            recovered(world, None if to_the_end else moment)
    world.server.remove(FORK.id)
    assert caught.value.reference == "archive-not-restored"
    # In any order: pgBackRest fetches several at once.
    named = {
        Path(line.removesuffix(" is missing or damaged.")).name
        for line in caught.value.context
        if line.endswith(" is missing or damaged.")
    }
    assert named == {files[-2].name, files[-1].name}
    wait_for(lambda: not processes_of(FORK.uid))


def test_a_killed_fork_leaves_no_process(world: World) -> None:
    """Whatever it was doing; its files go with the record of the datastore."""
    root = world.supervised.settings.paths.datastores / str(FORK.id)
    moment = world.archives.flush(ONE, LIMIT_S)
    kill_unless_ended(
        lambda: world.archives.fork(ONE, FORK, moment),
        lambda: (root / "recovery" / "postmaster.opts").exists() or copy_runs(root),
    )
    wait_for(lambda: not copy_runs(root))
    world.server.remove(FORK.id)
    assert not root.exists()
    assert world.server.answers(ONE)


def test_a_bucket_keeps_the_archive_as_well(world: World, tmp_path: Path) -> None:
    """Over TLS; what was in it is all that another server needs."""
    with running_s3(tmp_path, tls=True) as target:
        settings = replace(
            world.supervised.settings, build_env={"SSL_CERT_FILE": str(tmp_path / "tls.crt")}
        )
        archives = PgBackRestArchives(settings, world.backups)
        away = World(world.supervised, world.backups, archives, world.server)
        world.backups.where = target
        try:
            archives.refuse_unreachable()
            world.sql("CREATE TABLE distant AS SELECT generate_series(1, 10) AS n")
            archives.back_up(ONE, full=True)
            archives.flush(ONE, LIMIT_S)
            found = archives.holdings(archive_name(ONE), None)
            assert found is not None
            assert len(found.backups) == 1
            recovered(away)
            with away.serving(FORK):
                assert world.sql("SELECT count(*) FROM distant", FORK) == "10"
            # It does not know the certificate, so it archives nothing; yet it is not killed.
            assert "database system is shut down" in away.said
            archives.remove(archive_name(ONE))
            assert archives.holdings(archive_name(ONE), None) is None
        finally:
            world.backups.where = LocalTarget()
            world.archives.prepare(ONE)
    world.sql("DROP TABLE distant")
    world.backups.where = target
    with pytest.raises(PaasError) as caught:
        world.archives.refuse_unreachable()
    world.backups.where = LocalTarget()
    assert caught.value.reference == "archive-unreachable"


def test_a_new_directory_is_seen_after_another_start(world: World, tmp_path: Path) -> None:
    """Its server archives there from then on; the platform knows that it has to be restarted."""
    (tmp_path / MARK).touch()
    assert world.archives.reaches_target(ONE)
    world.backups.where = LocalTarget(PurePosixPath(tmp_path))
    try:
        assert not world.archives.reaches_target(ONE)
        restarted(world)
        assert world.archives.reaches_target(ONE)
        world.archives.back_up(ONE, full=True)
        found = world.archives.holdings(archive_name(ONE), ONE)
        assert found is not None
        assert len(found.backups) == 1
    finally:
        world.backups.where = LocalTarget()
        restarted(world)
    world.archives.flush(ONE, LIMIT_S)


def restarted(world: World) -> None:
    """As `DatastoreUpkeep.restart` does it."""
    world.server.refresh(ONE)
    workload = world.server.workload(ONE)
    world.supervised.runtime.stop([workload], LIMIT_S)
    world.supervised.runtime.start([workload])
    world.server.set_up(ONE, LIMIT_S)


def copy_runs(root: Path) -> list[int]:
    """The processes of a copy that is restored in a directory."""
    return [one.pid for one in with_words(f"{root}/recovery")]


def test_too_much_that_waits_is_given_up_and_a_full_backup_ends_that(world: World) -> None:
    """So it does not fill the disk; the gap is known until then."""
    conf = world.supervised.settings.paths.datastores / str(ONE.id) / "conf" / "pgbackrest.conf"
    text = conf.read_text()
    assert "archive-push-queue-max=1GiB" in text
    with served_by_root(world.repository):
        conf.write_text(text.replace("queue-max=1GiB", "queue-max=16MiB"))
        for n in range(4):
            world.sql(f"CREATE TABLE waits{n} (n int); DROP TABLE waits{n};")
            with pytest.raises(PaasError):
                world.archives.flush(ONE, 0.1)
        wait_for(lambda: world.archives.has_lost(ONE))
        assert world.archives.archiving(ONE).lost_since is not None
    wait_for(lambda: world.archives.archiving(ONE).failing_since is None)
    world.archives.back_up(ONE, full=True)
    assert not world.archives.has_lost(ONE)
    assert "archive-push-queue-max=1GiB" in conf.read_text()


@contextmanager
def served_by_root(repository: Path) -> Iterator[None]:
    """The archive is closed to its datastore, as a target that does not answer."""
    subprocess.run(["chown", "-R", "0:0", repository], check=True)
    try:
        yield
    finally:
        subprocess.run(["chown", "-R", f"{UID}:{UID}", repository], check=True)
