"""Databases from a dump: another server loads it into separate files, which replace the others.

The new files are in ``data/incoming`` meanwhile, and the live server continues. When the dump is
complete, that server is stopped, the files are swapped by renaming, and it starts on the new ones.
MariaDB cannot rename a database; and this way a dump may contain everything that belongs to one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from paas.adapters.datastores.mysql import conf, making, programs, sql
from paas.adapters.datastores.places import Places
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.system import directories
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError

INCOMING, FORMER = "incoming", "former"
_LEFT = (INCOMING, FORMER, f"{INCOMING}-tmp")
_LIMIT_S = 6 * 3600.0
# $1: the data's directory. $2: the configuration. $3: login. $4: database. The rest makes files.
# The dump is on standard input. What the client prints is shown; it cannot start programs.
_LOAD = """set -eu
data=$1 conf=$2 login=$3 database=$4; shift 4
"$@" --datadir=/tmp/made > /tmp/output 2>&1 || { cat /tmp/output; exit 1; }
cp -a /tmp/made "$data/incoming"
rm -rf /tmp/made
mkdir -m 0700 "$data/incoming-tmp"
printf '%s' "$SET_UP" > /tmp/set-up.sql
mariadbd --defaults-file="$conf" --datadir="$data/incoming" --tmpdir="$data/incoming-tmp" \\
    --skip-networking --socket=/tmp/socket --pid-file=/tmp/pid --log-error=/tmp/log \\
    --innodb-flush-log-at-trx-commit=0 --init-file=/tmp/set-up.sql > /tmp/output 2>&1 &
server=$!
client() {
    mariadb --no-defaults --socket=/tmp/socket --user="$login" --default-character-set=utf8mb4 \\
        --max-allowed-packet=64M --binary-mode --sandbox "$@" "$database"
}
until client --execute='DO 0' > /tmp/output 2>&1; do
    kill -0 $server 2> /tmp/output || { cat /tmp/log; exit 1; }
    sleep 0.05
done
status=0
{ LC_ALL=C sed -E "$REWRITE" || touch /tmp/cut; } | client || status=$?
[ ! -e /tmp/cut ] || status=1
kill -TERM $server
wait $server
rm -rf "$data/incoming-tmp"
[ $status = 0 ]
find "$data/incoming" -exec sync {} +
"""

# An account of elsewhere is none here, so what belongs to one gets to belong to the login. These
# are the ways in which mysqldump and mariadb-dump write it, where a line begins. No line of data
# begins so: they write a line break in data as a backslash and an n.
_ACCOUNT = "DEFINER=`[^`]*`@`[^`]*`"
_REWRITE = f"""
s,^(/\\*!5[0-9]+ ){_ACCOUNT} ,\\1,
s,^(/\\*!5[0-9]+ CREATE\\*/ /\\*!5[0-9]+ ){_ACCOUNT}(\\*/ ),\\1\\2,
s,^CREATE {_ACCOUNT} ,CREATE ,
"""


@contextmanager
def loaded(
    tools: DatastoreTools, datastore: Datastore, places: Places, *, source: int
) -> Iterator[None]:
    """Files created from SQL that is read from a descriptor; deleted at the end unless swapped."""
    mend(places)
    argv = (
        *("/bin/sh", "-c", _LOAD, "sh", str(places.data), str(places.conf / conf.FILE)),
        *(datastore.login, datastore.database, *making.COMMAND),
    )
    env = {
        **programs.ENV,
        "SET_UP": sql.set_up(datastore),
        "REWRITE": _REWRITE,
        "MYSQL_PWD": datastore.password.reveal(),
    }
    try:
        try:
            tools.run(
                *(datastore, argv, env, making.limits_of(datastore, making.MADE_MIB)),
                limit_s=_LIMIT_S,
                stdin=source,
                separate=True,
            )
        except PaasError as error:
            raise PaasError(
                "dump-not-loaded",
                f"The dump cannot be loaded: MariaDB refused it. {datastore.name} is as it was.",
                "The lines above say why. See docs/how-to/mysql.md.",
                context=error.context,
            ) from error
        yield
    finally:
        mend(places)


def exchange(places: Places) -> None:
    """Replace the present files with the new ones, and keep them as the former ones.

    No server may be running on them.
    """
    present = places.data / conf.DATABASES
    present.rename(places.data / FORMER)
    (places.data / INCOMING).rename(present)


def exchange_back(places: Places) -> None:
    """Undo that. No server may be running on them."""
    present = places.data / conf.DATABASES
    present.rename(places.data / INCOMING)
    (places.data / FORMER).rename(present)


def is_left(places: Places) -> bool:
    """Whether an interrupted load left something."""
    return any((places.data / name).exists() for name in _LEFT)


def mend(places: Places) -> None:
    """Leave one set of files: the present ones, or the former if a kill left only those.

    Nothing may be loading, and without the present ones no server may be running.
    """
    present, former = places.data / conf.DATABASES, places.data / FORMER
    if not present.exists() and former.exists():
        former.rename(present)
    for name in _LEFT:
        directories.remove(places.data / name)
