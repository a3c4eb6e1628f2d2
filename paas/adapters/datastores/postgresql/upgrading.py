"""Upgrades a PostgreSQL's files to another major version by pg_upgrade; implements `MajorUpgrades`.

pg_upgrade copies: the present files do not change, beside the new ones, until the store says that
the new ones are used. Then, before the next start, the two are swapped (`major_files.py`).

https://www.postgresql.org/docs/current/pgupgrade.html
"""

import shutil
from collections.abc import Sequence
from datetime import datetime

from paas.adapters.datastores import places
from paas.adapters.datastores.postgresql import conf, major_files, programs
from paas.adapters.datastores.postgresql.archive import PgBackRestArchives
from paas.adapters.datastores.postgresql.queries import ENV, Queries
from paas.adapters.datastores.postgresql.size import server_limits
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.system import directories
from paas.adapters.system.files import make_directory, write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError
from paas.settings import Settings

_INIT_LIMIT_S = 120.0
_COPY_LIMIT_S = 6 * 3600.0
_ANALYZE_LIMIT_S = 3600.0
_START_LIMIT_S = 120
# Its words: the programs of both versions, the present data, the directory of the new ones, and the
# configuration that the new server will have. Servers here have no TCP port; their sockets are in
# the sandbox. The new one is tried with that configuration, and ends in order, so that its files
# are on the disk.
_UPGRADE = f"""\
set -u
old=$1 new=$2 data=$3 home=$4 config=$5
cd "$home"
files="-c hba_file='$home/pg_hba.conf' -c ident_file='$home/pg_ident.conf'"
"$new/pg_upgrade" --old-bindir "$old" --new-bindir "$new" --old-datadir "$data" \\
  --new-datadir "$home/data" --username {conf.SUPERUSER} --socketdir /tmp \\
  --old-options "$files" --new-options "$files" >"$home/log" 2>&1
if [ $? != 0 ]; then
  tail -n 20 "$home/log"
  find "$home" -name '*.txt' -size -64k -exec tail -n 5 {{}} +
  exit 1
fi
trial="-c config_file='$config' -c data_directory='$home/data' -c listen_addresses= \\
  -c unix_socket_directories=/tmp -c archive_mode=off -c logging_collector=off"
"$new/pg_ctl" -D "$home/data" -s -w -t {_START_LIMIT_S} -l "$home/log" -o "$trial" start \\
  || {{ tail -n 10 "$home/log"; exit 1; }}
status=0
"$new/psql" -X -A -t -q -h /tmp -p "$6" -U {conf.SUPERUSER} -d "$7" -c 'SELECT 1' || status=1
"$new/pg_ctl" -D "$home/data" -s -w -m fast stop || status=1
exit $status
"""


class PostgresqlUpgrading:
    """`MajorUpgrades`."""

    def __init__(self, settings: Settings, archives: PgBackRestArchives) -> None:
        self._archives = archives
        self._paths = settings.paths
        self._tools = DatastoreTools(settings)
        self._queries = Queries(settings.paths)

    def versions(self) -> Sequence[str]:
        """See `MajorUpgrades`."""
        return programs.versions()

    def space(self, datastore: Datastore) -> tuple[int, int]:
        """See `MajorUpgrades`."""
        root = places.places_of(self._paths, datastore).root
        return directories.size_bytes(root / "data"), shutil.disk_usage(root).free

    def prepare(self, datastore: Datastore, version: str) -> None:
        """See `MajorUpgrades`."""
        found, owner = places.places_of(self._paths, datastore), (datastore.uid, datastore.uid)
        home = major_files.beside(found)
        directories.remove(home)
        make_directory(home, owner=owner)
        for name, text in (
            ("pg_hba.conf", conf.copy_hba_conf()),
            ("pg_ident.conf", conf.pg_ident_conf()),
        ):
            write_atomic(home / name, text, owner=owner, durable=False)
        self._run(datastore, conf.initdb(programs.binaries(version), home / "data"), _INIT_LIMIT_S)

    def copy(self, datastore: Datastore, version: str) -> None:
        """See `MajorUpgrades`. The lock is held meanwhile: no server of the datastore starts."""
        found = places.places_of(self._paths, datastore)
        words = (
            *(str(programs.binaries(datastore.version)), str(programs.binaries(version))),
            *(str(found.data), str(major_files.beside(found))),
            *(str(found.conf / "postgresql.conf"), str(datastore.port), datastore.database),
        )
        argv = places.locked(found, ("/bin/sh", "-c", _UPGRADE, "upgrade", *words))
        try:
            self._run(datastore, argv, _COPY_LIMIT_S)
        except PaasError as error:
            raise PaasError(
                "pg-upgrade-failed",
                f"{datastore.name} cannot be upgraded to PostgreSQL {version}: {error.summary}. It "
                f"stays with PostgreSQL {datastore.version}, and nothing is lost.",
                "The lines above are pg_upgrade's own. Remove what it names, and try again; "
                "pg:fork creates a copy to try it with.",
                context=error.context,
            ) from error

    def give_up(self, datastore: Datastore) -> None:
        """See `MajorUpgrades`."""
        directories.remove(major_files.beside(places.places_of(self._paths, datastore)))

    def finish(self, datastore: Datastore) -> None:
        """See `MajorUpgrades`: pg_upgrade brings no statistics along before PostgreSQL 18."""
        if self._archives.lack() is None:
            self._archives.adopt(datastore)
        self._queries.run(datastore, "ANALYZE;\n", datastore.database, limit_s=_ANALYZE_LIMIT_S)

    def delete_former(self, datastore: Datastore, before: datetime) -> bool:
        """See `MajorUpgrades`."""
        return major_files.delete_former(places.places_of(self._paths, datastore), before)

    def _run(self, datastore: Datastore, argv: tuple[str, ...], limit_s: float) -> None:
        """With its uid, in a sandbox in which it also sees the new files."""
        found = places.places_of(self._paths, datastore)
        self._tools.run(
            datastore,
            argv,
            ENV,
            server_limits(datastore),
            limit_s=limit_s,
            binds=(*found.binds, major_files.bind(found)),
            program="initdb" if "initdb" in argv[0] else "pg_upgrade",
            separate=True,
        )
