"""Followers of PostgreSQL, by streaming replication; implements `DatastoreFollowers`.

A follower has a login and a replication slot at its leader. The slot makes the leader keep what the
follower has not fetched yet, up to a limit; a follower beyond that has to be copied again.
https://www.postgresql.org/docs/current/warm-standby.html
"""

from collections.abc import Sequence

from paas.adapters.datastores import places
from paas.adapters.datastores.postgresql import conf, followers_sql, layout, programs
from paas.adapters.datastores.postgresql.archive_sql import renamed
from paas.adapters.datastores.postgresql.follower_standings import (
    PostgresqlStandings,
    following_of,
)
from paas.adapters.datastores.postgresql.queries import ENV
from paas.adapters.datastores.postgresql.server import PostgresqlServer
from paas.adapters.datastores.postgresql.size import server_limits
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.runtime.native.process_tree import wait_until
from paas.adapters.system import directories
from paas.adapters.system.files import make_directory, sync_file_system, write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.launch_spec import Bind
from paas.domain.values.errors import PaasError
from paas.settings import Settings

_RELOAD_LIMIT_S = 10.0
_COPY_LIMIT_S = 12 * 3600.0
_RELEASE_LIMIT_S = 3600
# Only a part of a file's name: there is no TCP port.
_PORT = "5432"
# Its words: where PostgreSQL's programs are, and the directory. It may have been promoted before.
_RELEASE = f"""\
set -u
bin=$1 home=$2
export PGHOST="$home" PGPORT={_PORT} PGUSER={conf.SUPERUSER}
export PGOPTIONS="-c default_transaction_read_only=off"
server() {{ "$bin/pg_ctl" -D "$home/data" -s -w -t {_RELEASE_LIMIT_S} "$@"; }}
query() {{ "$bin/psql" -X -A -t -q -v ON_ERROR_STOP=1 -d postgres "$@"; }}
failed() {{ tail -n 10 "$home/log"; exit 1; }}
server -l "$home/log" -o "-c config_file='$home/postgresql.conf'" start || failed
status=0
if [ "$(query -c 'SELECT pg_is_in_recovery()')" = t ]; then
  server promote || status=1
fi
[ $status = 0 ] && {{ query -f "$home/work.sql" || status=1; }}
server -m fast stop || status=1
[ $status = 0 ] || failed
"""


class PostgresqlFollowers(PostgresqlStandings):
    """`DatastoreFollowers`."""

    def __init__(self, settings: Settings, server: PostgresqlServer) -> None:
        super().__init__(settings.paths)
        self._paths = settings.paths
        self._tools = DatastoreTools(settings)
        self._server = server

    def admit(self, follower: Datastore) -> None:
        """See `DatastoreFollowers`."""
        following = following_of(follower)
        leader = following.leader
        self._server.refresh(leader)
        before = self._queries.run(leader, followers_sql.LOADED_AT)
        self._queries.run(leader, followers_sql.RELOAD)
        # What connects after it was read again is judged by it.
        if not wait_until(
            lambda: self._queries.run(leader, followers_sql.LOADED_AT) != before, _RELOAD_LIMIT_S
        ):
            raise PaasError(
                "datastore-not-switched",
                f"{leader.name} did not reload its settings within {_RELOAD_LIMIT_S:g} s.",
                "Its log may say why: paas logs --service",
            )
        self._queries.run(leader, followers_sql.admit(follower, following))

    def copy(self, follower: Datastore) -> None:
        """See `DatastoreFollowers`; by pg_basebackup."""
        following = following_of(follower)
        made = layout.make(self._paths, follower)
        self._server.refresh(follower)
        name = followers_sql.name_at_leader(follower)
        argv = (
            *("/usr/bin/nice", "-n", "10"),
            *(str(programs.binaries(follower.version) / "pg_basebackup"), "--no-password"),
            *(f"--pgdata={made.data}", f"--slot={name}", "--wal-method=stream"),
            *("--checkpoint=fast", "--host=127.0.0.1", f"--port={following.leader.port}"),
            f"--username={name}",
        )
        password_file = made.conf / followers_sql.PASSWORD_FILE
        env = {**ENV, "PGPASSFILE": str(password_file), "PGSSLMODE": "disable"}
        try:
            self._tools.run(
                follower,
                argv,
                env,
                server_limits(follower),
                limit_s=_COPY_LIMIT_S,
                program="pg_basebackup",
                separate=True,
            )
        except PaasError as error:
            raise PaasError(
                "follower-not-copied",
                f"{following.leader.name} could not be copied: {error.summary}.",
                "Nothing in it was changed. See its log: paas logs --service",
                context=error.context,
            ) from error
        signal = made.data / followers_sql.SIGNAL_FILE
        write_atomic(signal, b"", owner=(follower.uid, follower.uid))
        sync_file_system(made.root)

    def dismiss_others(self, leader: Datastore, present: Sequence[Datastore]) -> None:
        """See `DatastoreFollowers`."""
        self._queries.run(leader, followers_sql.dismiss_others(present))

    def has_caught_up(self, follower: Datastore, limit_s: float) -> bool:
        """See `DatastoreFollowers`."""
        try:
            written = self._queries.run(
                following_of(follower).leader, followers_sql.WRITTEN
            ).strip()
            question = followers_sql.has_replayed(written)
            return wait_until(lambda: self._queries.run(follower, question).strip() == "t", limit_s)
        except (PaasError, OSError):
            return False

    def release(self, follower: Datastore) -> None:
        """See `DatastoreFollowers`. A server that nobody reaches promotes and renames it."""
        leader = following_of(follower).leader
        found = places.places_of(self._paths, follower)
        home, owner = found.root / "release", (follower.uid, follower.uid)
        directories.remove(home)
        make_directory(home, owner=owner)
        make_directory(home / "data", owner=owner)
        own_conf = conf.copy_conf(home, follower.plan, lasting=True, standby=True)
        for name, text in (
            ("postgresql.conf", own_conf),
            ("pg_hba.conf", conf.copy_hba_conf()),
            ("pg_ident.conf", conf.pg_ident_conf()),
            ("work.sql", renamed(leader.name, follower.name)),
        ):
            write_atomic(home / name, text, owner=owner, durable=False)
        binds = (
            Bind(str(home), str(home), writable=True),
            Bind(str(found.data), str(home / "data"), writable=True),
            Bind(str(found.lock), str(found.lock)),
        )
        words = (str(programs.binaries(follower.version)), str(home))
        argv = places.locked(found, ("/bin/sh", "-c", _RELEASE, "release", *words))
        try:
            self._tools.run(
                follower,
                argv,
                ENV,
                server_limits(follower),
                limit_s=_RELEASE_LIMIT_S,
                binds=binds,
                program="The server of the former follower",
                separate=True,
            )
        except PaasError as error:
            raise PaasError(
                "follower-not-released",
                f"{follower.name} has not become independent: {error.summary}.",
                f"To finish that: paas pg:unfollow {follower.name}",
                context=error.context,
            ) from error
        directories.remove(home)
