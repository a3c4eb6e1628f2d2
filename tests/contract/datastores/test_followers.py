"""Followers: the same checks on the fake and on real PostgreSQL servers under supervisord.

What only the real ones have: rows, a log that is kept up to a limit, and what is killed half way.
"""

import os
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from paas.adapters.datastores.postgresql import followers_sql, programs
from paas.adapters.datastores.postgresql.dumps import PostgresqlDumps
from paas.adapters.datastores.postgresql.followers import PostgresqlFollowers
from paas.adapters.datastores.postgresql.read_only import PostgresqlReadOnly
from paas.adapters.datastores.postgresql.server import PostgresqlServer
from paas.domain.datastores.datastores import Datastore, DatastoreState, Following
from paas.domain.datastores.following import Place
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL
from paas.domain.values.secret import Secret
from paas.interfaces import DatastoreFollowers, DatastoreServer, Runtime
from tests.contract.datastores.keeping import kill_unless_ended
from tests.contract.datastores.serving import NoArchives, contents_below
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.fakes.datastores import FakeDatastoreServer
from tests.fakes.followers import FakeFollowers
from tests.fakes.output import FakeProgress
from tests.fakes.runtime import FakeRuntime
from tests.ports import free_port
from tests.processes import first_of, processes_of, with_words
from tests.uids import free_uids
from tests.waiting import wait_for

UID = free_uids()
LIMIT_S = 150.0
OWN_SECRET = "canary'-of:the\\follower"
LEADER = Datastore(
    id=5,
    name=DatastoreName("postgresql-leader-1234"),
    kind=DatastoreKind.POSTGRESQL,
    version="15",
    plan=SMALL,
    app_id=1,
    uid=UID,
    port=free_port(),
    state=DatastoreState.READY,
    password=Secret("canary'-of-the-leader"),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
FOLLOWER = replace(
    LEADER,
    id=6,
    name=DatastoreName("postgresql-follower-5678"),
    uid=UID + 1,
    port=free_port(),
    following=Following(LEADER, Secret(OWN_SECRET)),
)
OWN = replace(FOLLOWER, following=None, password=Secret(OWN_SECRET))


@dataclass
class Servers:
    """Leaders and followers, and where they run."""

    server: DatastoreServer
    followers: DatastoreFollowers
    runtime: Runtime
    supervised: SupervisorServer | None = None

    @contextmanager
    def running(self, one: Datastore) -> Iterator[None]:
        """Its server, whose files are there, for a while."""
        self.start(one)
        try:
            yield
        finally:
            self.stop(one)

    def start(self, one: Datastore) -> None:
        self.server.refresh(one)
        self.runtime.start([self.server.workload(one)])
        self.server.set_up(one, LIMIT_S)

    def stop(self, one: Datastore) -> None:
        assert self.runtime.stop([self.server.workload(one)], LIMIT_S) == set()

    @contextmanager
    def follower(self) -> Iterator[None]:
        """One that was copied, and runs; its files go again."""
        self.followers.admit(FOLLOWER)
        try:
            self.followers.copy(FOLLOWER)
            with self.running(FOLLOWER):
                yield
        finally:
            self.server.remove(FOLLOWER.id)
            self.followers.dismiss_others(LEADER, [])

    @property
    def real(self) -> PostgresqlServer:
        assert isinstance(self.server, PostgresqlServer)
        return self.server

    @property
    def root(self) -> Path:
        assert self.supervised is not None
        return self.supervised.settings.paths.datastores

    def sql(self, text: str, one: Datastore = LEADER) -> str:
        """What an app would see."""
        done = subprocess.run(
            [
                *(str(programs.binaries(one.version) / "psql"), "-X", "-A", "-t", "-q"),
                *("-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(one.port)),
                *("-U", one.login, "-d", one.database),
            ],
            input=text,
            env={"PGPASSWORD": one.password.reveal(), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or done.stderr.strip()

    def postmaster(self, one: Datastore) -> psutil.Process:
        """The first process of its server."""
        return first_of(with_words(str(self.root / str(one.id) / "data"), uid=one.uid))

    def kill(self, one: Datastore) -> None:
        """Its server, as by the kernel; supervisord starts it again."""
        first = self.postmaster(one)
        os.kill(first.pid, signal.SIGKILL)
        wait_for(lambda: not first.is_running())

    def caught_up(self) -> bool:
        return self.followers.has_caught_up(FOLLOWER, LIMIT_S)


@pytest.fixture(scope="module")
def real() -> Iterator[Servers]:
    """One leader for all tests, which starts as one of a former version that knew no followers."""
    assert programs.ensure_installed(FakeProgress()) >= LEADER.version
    with running_supervisor() as supervised, ExitStack() as ended:
        server = PostgresqlServer(supervised.settings, NoArchives(supervised.settings))
        found = Servers(
            server,
            PostgresqlFollowers(supervised.settings, server),
            supervised.runtime,
            supervised,
        )
        server.create(LEADER)
        ended.callback(server.remove, LEADER.id)
        conf = supervised.settings.paths.datastores / str(LEADER.id) / "conf"
        for name, words in (("pg_hba.conf", "replication all"), ("postgresql.conf", "max_slot")):
            lines = (conf / name).read_text().splitlines(keepends=True)
            (conf / name).write_text("".join(line for line in lines if words not in line))
        supervised.runtime.start([server.workload(LEADER)])
        ended.callback(supervised.runtime.stop, [server.workload(LEADER)], LIMIT_S)
        server.set_up(LEADER, LIMIT_S)
        yield found


@pytest.fixture(params=["fake", "real"])
def servers(request: pytest.FixtureRequest) -> Servers:
    """Each of them; the leader runs."""
    if request.param == "real":
        found: Servers = request.getfixturevalue("real")
        return found
    server, runtime = FakeDatastoreServer(), FakeRuntime()
    server.is_running = lambda id: id in runtime.running
    server.create(LEADER)
    runtime.start([server.workload(LEADER)])
    return Servers(server, FakeFollowers(server), runtime)


def test_it_follows_until_it_is_released(servers: Servers) -> None:
    """Then it has logins and a database of its own, and its leader keeps nothing for it."""
    servers.followers.admit(FOLLOWER)
    servers.followers.copy(FOLLOWER)
    servers.start(FOLLOWER)
    wait_for(lambda: servers.followers.standing(FOLLOWER).place is Place.STREAMING, limit_s=LIMIT_S)
    assert servers.caught_up()
    assert servers.server.answers(FOLLOWER)
    servers.stop(FOLLOWER)
    servers.followers.release(FOLLOWER)
    servers.followers.dismiss_others(LEADER, [])
    with servers.running(OWN):
        assert servers.server.answers(OWN)
        assert servers.followers.standing(FOLLOWER).place is Place.LOST
    servers.server.remove(OWN.id)


def test_one_without_its_leader(servers: Servers) -> None:
    """It answers, and goes on when its leader is back; without a place it is lost."""
    with servers.follower():
        servers.stop(LEADER)
        assert servers.followers.standing(FOLLOWER).place is Place.UNKNOWN
        assert not servers.followers.has_caught_up(FOLLOWER, 0)
        assert servers.server.answers(FOLLOWER)
        servers.start(LEADER)
        wait_for(
            lambda: servers.followers.standing(FOLLOWER).place is Place.STREAMING, limit_s=LIMIT_S
        )
        servers.followers.dismiss_others(LEADER, [FOLLOWER])
        assert servers.caught_up()


@pytest.fixture
def following(real: Servers) -> Iterator[Servers]:
    """The real leader, with a follower that streams."""
    with real.follower():
        wait_for(lambda: streams(real), limit_s=LIMIT_S)
        yield real


def streams(servers: Servers) -> bool:
    """Whether the follower gets what is written now."""
    return servers.followers.standing(FOLLOWER).place is Place.STREAMING


def table(servers: Servers, name: str) -> None:
    """A table of three rows, at the leader."""
    said = servers.sql(f"CREATE TABLE {name} AS SELECT generate_series(1, 3) AS number;")
    assert said == ""


def rows(servers: Servers, name: str, one: Datastore = FOLLOWER) -> str:
    """How many a table has, or the error."""
    return servers.sql(f"SELECT count(*) FROM {name};", one)


def killed(servers: Servers, work: Callable[[Datastore], None], when: Callable[[], bool]) -> None:
    """Do it in a process that is killed when that is so; or after its end, if it was faster."""
    kill_unless_ended(lambda: work(FOLLOWER), when)
    wait_for(lambda: not [*processes_of(FOLLOWER.uid)])


def test_what_is_written_is_there_and_cannot_be_changed(following: Servers) -> None:
    """With the leader's login; its password for the leader is where only it reads it."""
    table(following, "orders")
    assert following.caught_up()
    assert rows(following, "orders") == "3"
    assert "read-only transaction" in following.sql("DELETE FROM orders;", FOLLOWER)

    def is_level() -> bool:
        found = following.followers.standing(FOLLOWER)
        return (found.behind_bytes, found.behind_s) == (0, 0.0)

    wait_for(is_level)  # the leader also writes some bytes on its own
    assert following.real.figures(FOLLOWER).size_bytes > 1_000_000
    assert not following.real.figures(FOLLOWER).more

    conf = following.root / str(FOLLOWER.id) / "conf" / followers_sql.PASSWORD_FILE
    assert stat.S_IMODE(conf.stat().st_mode) == 0o600
    assert conf.stat().st_uid == FOLLOWER.uid
    for one in (LEADER, FOLLOWER):
        for path, content in contents_below(following.root / str(one.id)):
            assert path == conf or b"-of:the" not in content, path
        assert not with_words("canary", uid=one.uid)


def test_the_login_for_following_can_do_nothing_else(following: Servers) -> None:
    """Neither connect to a database, nor the app's login replicate."""
    name = followers_sql.name_at_leader(FOLLOWER)
    psql = str(programs.binaries(LEADER.version) / "psql")

    def asked(user: str, password: str, conninfo: str) -> str:
        done = subprocess.run(
            [
                psql,
                "-X",
                f"host=127.0.0.1 port={LEADER.port} user={user} {conninfo}",
                "-c",
                "SHOW port",
            ],
            env={"PGPASSWORD": password, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr

    assert "permission denied for database" in asked(name, OWN_SECRET, f"dbname={LEADER.database}")
    own = asked(LEADER.login, LEADER.password.reveal(), "dbname=x replication=true")
    assert "must be superuser or replication role" in own
    assert "authentication failed" in asked(name, "wrong", "dbname=x replication=true")
    assert "pg_hba.conf rejects" in asked("postgres", "x", "dbname=x replication=true")


def test_another_login_of_the_leader_reaches_it(following: Servers) -> None:
    """The sessions of the former one end there, too."""
    new = LEADER.with_next_login(Secret("another'-5b2c"))
    there = replace(FOLLOWER, login_number=1, password=new.password)
    server = following.real
    server.add_login(new)
    try:
        assert following.caught_up()
        assert following.sql("SELECT current_user;", there) == f"{LEADER.database}_owner"
        sleeping = subprocess.Popen(
            [
                *(str(programs.binaries("15") / "psql"), "-X", "-h", "127.0.0.1"),
                *("-p", str(FOLLOWER.port), "-U", LEADER.login, "-d", LEADER.database),
                *("-c", "SELECT pg_sleep(600)"),
            ],
            env={"PGPASSWORD": LEADER.password.reveal()},
            stderr=subprocess.PIPE,
        )
        asking = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'"
        wait_for(lambda: server.queries.run(FOLLOWER, asking).strip() == "1")
        server.drop_former_logins(new)
        assert server.drop_former_logins(there) == 1
        assert b"terminating connection" in sleeping.communicate(timeout=200)[1]
        assert following.caught_up()
        assert "authentication failed" in rows(following, "pg_class")
    finally:
        server.set_up(LEADER, LIMIT_S)
        server.drop_former_logins(LEADER)


def test_each_is_killed_and_both_are_started_in_any_order(following: Servers) -> None:
    """It goes on where it was; also after the one setting that it has to have as its leader."""
    table(following, "killed")
    following.kill(FOLLOWER)
    wait_for(lambda: following.server.answers(FOLLOWER) and streams(following), limit_s=LIMIT_S)
    following.kill(LEADER)
    wait_for(lambda: following.server.answers(LEADER) and streams(following), limit_s=LIMIT_S)
    for first, second in ((LEADER, FOLLOWER), (FOLLOWER, LEADER)):
        following.stop(first)
        following.stop(second)
        following.start(first)
        assert following.server.answers(first)
        following.start(second)
        wait_for(lambda: streams(following), limit_s=LIMIT_S)
    following.stop(LEADER)
    following.start(replace(LEADER, settings={"max_locks_per_transaction": "1024"}))
    wait_for(lambda: streams(following), limit_s=LIMIT_S)
    following.sql("INSERT INTO killed VALUES (4);")
    assert following.caught_up()
    assert rows(following, "killed") == "4"


def test_a_leader_that_is_emptied_and_loaded(following: Servers) -> None:
    """Its database is exchanged for another one by name, and the follower's as well."""
    table(following, "before")
    assert following.caught_up()
    assert following.supervised is not None
    dumps = PostgresqlDumps(following.supervised.settings)
    dumps.empty(LEADER, lambda _doing: None)
    table(following, "after")
    assert following.caught_up()
    assert rows(following, "after") == "3"
    assert "does not exist" in rows(following, "before")


def test_a_leader_that_is_read_only(real: Servers) -> None:
    """As where the disk is nearly full: it is followed all the same, and the copy is not, later."""
    assert real.supervised is not None
    table(real, "crowded")
    switch = PostgresqlReadOnly(real.supervised.settings.paths)
    switch.set_read_only(LEADER, read_only=True)
    try:
        real.followers.admit(FOLLOWER)
        real.followers.copy(FOLLOWER)
        real.start(FOLLOWER)
        wait_for(lambda: streams(real), limit_s=LIMIT_S)
        real.sql("SET default_transaction_read_only = off; INSERT INTO crowded VALUES (4);")
        assert real.caught_up()
        assert rows(real, "crowded") == "4"
    finally:
        switch.set_read_only(LEADER, read_only=False)
    real.stop(FOLLOWER)
    real.stop(LEADER)
    try:
        real.followers.release(FOLLOWER)  # without its leader
        with real.running(OWN):
            assert real.sql("INSERT INTO crowded VALUES (5); SELECT 1;", OWN) == "1"
            owner = real.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'crowded'", OWN)
            assert owner == f"{OWN.database}_owner"
            roles = real.real.queries.run(OWN, "SELECT rolname FROM pg_roles WHERE rolcanlogin;")
            assert set(roles.split()) == {"postgres", OWN.login}
    finally:
        real.start(LEADER)
        real.server.remove(OWN.id)
        real.followers.dismiss_others(LEADER, [])


def test_one_that_was_away_too_long_is_copied_again(following: Servers) -> None:
    """Its leader does not keep more than the limit, and says that it is lost."""
    queries = following.real.queries
    following.stop(FOLLOWER)
    queries.run(
        LEADER, "ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'; SELECT pg_reload_conf();"
    )
    try:
        table(following, "away")
        assert following.followers.standing(FOLLOWER).place is Place.UNKNOWN

        def lost() -> bool:
            queries.run(
                LEADER,
                "CREATE TABLE filler AS SELECT generate_series(1, 400000) AS n;"
                "DROP TABLE filler; SELECT pg_switch_wal(); CHECKPOINT;",
            )
            return following.followers.standing(FOLLOWER).place is Place.LOST

        wait_for(lost, limit_s=LIMIT_S)
        kept = "SELECT count(*) FROM pg_replication_slots WHERE wal_status = 'lost'"
        assert queries.run(LEADER, kept).strip() == "1"
    finally:
        queries.run(LEADER, "ALTER SYSTEM RESET max_slot_wal_keep_size; SELECT pg_reload_conf();")
    following.followers.admit(FOLLOWER)
    following.followers.copy(FOLLOWER)
    following.start(FOLLOWER)
    wait_for(lambda: streams(following), limit_s=LIMIT_S)
    assert rows(following, "away") == "3"


def test_a_copy_that_is_killed_half_way(real: Servers) -> None:
    """Leaves no process; the next one is whole."""
    table(real, "copied")
    data = real.root / str(FOLLOWER.id) / "data"
    real.followers.admit(FOLLOWER)
    killed(real, real.followers.copy, (data / "base").exists)
    assert real.server.answers(LEADER)
    with real.follower():
        wait_for(lambda: streams(real), limit_s=LIMIT_S)
        assert rows(real, "copied") == "3"


def test_a_release_that_is_killed_half_way(following: Servers) -> None:
    """The next one finishes it."""
    table(following, "released")
    assert following.caught_up()
    following.stop(FOLLOWER)
    home = following.root / str(FOLLOWER.id) / "release"
    killed(following, following.followers.release, (home / "log").exists)
    following.followers.release(FOLLOWER)
    following.followers.release(FOLLOWER)
    try:
        with following.running(OWN):
            assert rows(following, "released", OWN) == "3"
            assert following.sql("INSERT INTO released VALUES (4);", OWN) == ""
    finally:
        following.server.refresh(FOLLOWER)
        (following.root / str(FOLLOWER.id) / "data" / followers_sql.SIGNAL_FILE).touch()


def test_one_whose_disk_is_full(following: Servers) -> None:
    """Its leader serves; once there is space, it goes on."""
    following.stop(FOLLOWER)
    data = following.root / str(FOLLOWER.id) / "data"
    aside = data.with_name("aside")
    data.rename(aside)
    data.mkdir(mode=0o700)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300m,mode=0700", "follower", data], check=True
    )
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", data], check=True)
        os.chown(data, FOLLOWER.uid, FOLLOWER.uid)
        following.start(FOLLOWER)
        wait_for(lambda: streams(following), limit_s=LIMIT_S)
        filler = data / "filler"
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={filler}", "bs=1M"], check=False, stderr=subprocess.DEVNULL
        )

        def stuck() -> bool:
            following.sql(
                "CREATE TABLE bulk AS SELECT generate_series(1, 400000) AS n; DROP TABLE bulk;"
            )
            return not streams(following)

        wait_for(stuck, limit_s=LIMIT_S)
        table(following, "fine")
        filler.unlink()
        wait_for(lambda: streams(following) and following.caught_up(), limit_s=LIMIT_S)
        assert rows(following, "fine") == "3"
        following.stop(FOLLOWER)
    finally:
        following.runtime.stop([following.server.workload(FOLLOWER)], LIMIT_S)
        subprocess.run(["umount", data], check=True)
