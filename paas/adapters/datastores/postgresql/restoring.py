"""Restores an archive of PostgreSQL into a directory, to a moment, and works on the copy there.

A separate server serves the copy, reachable only by its own uid: it has no TCP port, and its socket
is in that directory. All of it ends with the process that started it.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from paas.adapters.datastores.postgresql import conf, programs
from paas.adapters.datastores.postgresql.archive_conf import CONF, PROGRAM, STANZA
from paas.adapters.datastores.postgresql.archive_damage import damage
from paas.adapters.datastores.postgresql.queries import ENV
from paas.adapters.datastores.postgresql.size import server_limits
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.system import directories
from paas.adapters.system.files import make_directory, write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.launch_spec import Bind
from paas.domain.values.errors import PaasError

_RESTORE_LIMIT_S = 6 * 3600.0
_REPLAY_LIMIT_S = 6 * 3600
# To name what is damaged, the whole archive is read.
_VERIFY_LIMIT_S = 300.0
# What pgBackRest calls it when it cannot reach the target: then nothing can be read.
_UNREACHED = "HostConnectError"
# Only a part of a file's name: there is no TCP port.
_PORT = "5432"
# Its words: where PostgreSQL's programs are, the directory, and "check" to check all tables.
_REPLAY = f"""\
set -u
bin=$1 home=$2 check=$3
export PGHOST="$home" PGPORT={_PORT} PGUSER={conf.SUPERUSER}
# The original may have been made read-only, as where its disk was nearly full.
export PGOPTIONS="-c default_transaction_read_only=off"
server() {{ nice -n 10 "$bin/pg_ctl" -D "$home/data" -s -w -t {_REPLAY_LIMIT_S} "$@"; }}
failed() {{ tail -n 10 "$home/log"; exit 1; }}
server -l "$home/log" -o "-c config_file='$home/postgresql.conf'" start || failed
# It lets nobody in until it has reached the moment; it ends if it cannot.
until "$bin/psql" -X -q -d postgres -c '' >/dev/null 2>&1; do
  "$bin/pg_ctl" -D "$home/data" status >/dev/null 2>&1 || failed
  sleep 0.1
done
# PostgreSQL takes a log file that cannot be read for the end of the archive.
if grep -q 'ERROR: \\[[0-9]*\\]: ' "$home/log"; then
  grep -A 2 'ERROR: \\[[0-9]*\\]: ' "$home/log" | tail -n 10
  server -m immediate stop
  exit 1
fi
status=0
"$bin/psql" -X -A -t -q -v ON_ERROR_STOP=1 -d postgres -f "$home/work.sql" || status=1
if [ "$check" = check ] && ! nice -n 10 "$bin/pg_amcheck" --all --install-missing 2>&1; then
  echo "damage|"
fi
server -m fast stop || status=1
exit $status
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What is restored.

    runner: the datastore whose uid and plan are used. conf: the directory of pgBackRest's
    configuration. binds: what else it must see.
    """

    runner: Datastore
    conf: Path
    binds: tuple[Bind, ...]


class Restoring:
    """One restore at a time in a directory."""

    def __init__(self, tools: DatastoreTools) -> None:
        self._tools = tools

    def restore(
        self,
        source: Source,
        home: Path,
        moment: datetime | None,
        statements: str,
        *,
        check: bool = False,
    ) -> list[str]:
        """Restore into ``home/data``, replacing its content; returns what was printed.

        moment: None means the end of the archive. statements: run in the copy. check: check its
        tables and indexes, and spare the disk, because the copy will be deleted. The server has
        ended when this returns. Raises PaasError.
        """
        runner = source.runner
        owner = (runner.uid, runner.uid)
        directories.remove(home)
        make_directory(home, owner=owner)
        for name in ("data", "lock"):
            make_directory(home / name, owner=owner)
        for name, text in (
            ("postgresql.conf", conf.copy_conf(home, runner.plan, lasting=not check)),
            ("pg_hba.conf", conf.copy_hba_conf()),
            ("pg_ident.conf", conf.pg_ident_conf()),
            ("work.sql", statements),
        ):
            write_atomic(home / name, text, owner=owner, durable=False)
        binds = (
            Bind(str(source.conf), str(source.conf)),
            Bind(str(home), str(home), writable=True),
            *source.binds,
        )
        paths = (f"--pg1-path={home / 'data'}", f"--lock-path={home / 'lock'}")
        restore = _argv(source, *paths, "--archive-mode=off", *_target(moment), "restore")
        self._run(source, restore, binds, "pgbackrest restore")
        bin_directory = str(programs.binaries(runner.version))
        words = (bin_directory, str(home), "check" if check else "")
        replay = ("/bin/sh", "-c", _REPLAY, "replay", *words)
        return self._run(source, replay, binds, "The restored server")

    def _run(
        self,
        source: Source,
        argv: tuple[str, ...],
        binds: tuple[Bind, ...],
        program: str,
    ) -> list[str]:
        try:
            return self._in_sandbox(source, argv, binds, program, _RESTORE_LIMIT_S)
        except PaasError as error:
            reached = not any(_UNREACHED in line for line in error.context)
            named = self._damage(source, binds) if reached else []
            raise PaasError(
                "archive-not-restored",
                f"The archive cannot be restored to that moment: {error.summary}.",
                "Nothing was changed. If a file of the archive is missing or damaged, an earlier "
                "or later moment may still be restorable: give one with --to.",
                context=(*error.context, *named),
            ) from error

    def _damage(self, source: Source, binds: tuple[Bind, ...]) -> list[str]:
        """What is missing or damaged in the archive, in sentences, as far as can be found out.

        pgBackRest does not name the file at which a restore fails.
        """
        argv = _argv(source, "--log-level-console=info", "verify")
        try:
            lines = self._in_sandbox(source, argv, binds, "pgbackrest verify", _VERIFY_LIMIT_S)
        except PaasError as error:
            lines = list(error.context)
        return damage(lines)

    def _in_sandbox(
        self,
        source: Source,
        argv: tuple[str, ...],
        binds: tuple[Bind, ...],
        program: str,
        limit_s: float,
    ) -> list[str]:
        return self._tools.run(
            source.runner,
            argv,
            ENV,
            server_limits(source.runner),
            limit_s=limit_s,
            binds=binds,
            program=program,
            separate=True,
        )


def _argv(source: Source, *words: str) -> tuple[str, ...]:
    return (
        *("/usr/bin/nice", "-n", "10", PROGRAM, f"--config={source.conf / CONF}"),
        *(f"--stanza={STANZA}", "--process-max=2", *words),
    )


def _target(moment: datetime | None) -> tuple[str, ...]:
    if moment is None:
        return ()
    return (
        "--type=time",
        f"--target={moment:%Y-%m-%d %H:%M:%S.%f+00}",
        "--target-action=promote",
    )


def hand_over(directory: Path, uid: int) -> None:
    """Give all files in it to another uid; no process of the former one may be running there."""
    for _, folders, names, fd in os.fwalk(directory, follow_symlinks=False):
        for name in (*folders, *names):
            os.chown(name, uid, uid, dir_fd=fd, follow_symlinks=False)
        os.fchown(fd, uid, uid)
