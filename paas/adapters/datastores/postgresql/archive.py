"""Archives of PostgreSQL by pgBackRest; implements `DatastoreArchives`.

pgBackRest runs with the datastore's own uid, in its sandbox, and sees only that datastore's
archive. PostgreSQL pushes each file of its write-ahead log; the platform starts the backups.
"""

import os
import shutil
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from paas.adapters.datastores import places
from paas.adapters.datastores.postgresql import archive_conf, archive_sql, programs
from paas.adapters.datastores.postgresql.archive_conf import PROGRAM, STANZA
from paas.adapters.datastores.postgresql.archive_copies import ArchiveCopies
from paas.adapters.datastores.postgresql.archive_files import ArchiveFiles
from paas.adapters.datastores.postgresql.archive_info import parse_seconds, read_info
from paas.adapters.datastores.postgresql.pgbackrest import PgBackRest
from paas.adapters.datastores.postgresql.queries import Queries
from paas.adapters.datastores.postgresql.rehearsals import compared
from paas.adapters.datastores.postgresql.restoring import hand_over
from paas.adapters.datastores.postgresql.size import SERVER_LABEL
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.runtime.native.launch_specs import SpecPaths
from paas.adapters.runtime.native.process_tree import wait_until
from paas.adapters.system import directories
from paas.adapters.system.files import read_json
from paas.domain.backups.targets import S3Target
from paas.domain.datastores.archives import (
    ArchiveName,
    Archiving,
    Holdings,
    Rehearsal,
    archive_name,
)
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.launch_spec import Bind
from paas.domain.values.errors import PaasError
from paas.interfaces import BackupSettings, Progress
from paas.settings import Settings

_FLUSH_LIMIT_S = 60.0
_BACKUP_LIMIT_S = 12 * 3600.0
# Before pgBackRest is asked, which tries for minutes.
_CONNECT_LIMIT_S = 5.0


class PgBackRestArchives:
    """`DatastoreArchives`."""

    def __init__(self, settings: Settings, backups: BackupSettings) -> None:
        self._settings = settings
        self._paths = settings.paths
        self._backups = backups
        self._queries = Queries(settings.paths)
        tools = DatastoreTools(settings)
        self._files = ArchiveFiles(settings, backups)
        self._pgbackrest = PgBackRest(settings.paths, self._files, tools)
        self._copies = ArchiveCopies(settings.paths, self._files, tools)

    def lack(self) -> PaasError | None:
        """See `DatastoreArchives`."""
        if Path(PROGRAM).exists():
            return None
        return PaasError(
            "archive-missing",
            "pgBackRest is not installed on this server, so PostgreSQL cannot be restored to a "
            "moment. Datastores begin to archive at their next start after it is installed.",
            "apt-get install --no-install-recommends pgbackrest",
        )

    def ensure_installed(self, progress: Progress) -> None:
        """See `DatastoreArchives`."""
        if self.lack() is None:
            return
        try:
            programs.install_archiver(progress)
        except PaasError as error:
            progress.warn(
                f"pgBackRest cannot be installed: {error.summary}. PostgreSQL works without it, "
                "but cannot be restored to a moment."
            )

    def prepare(self, datastore: Datastore) -> None:
        """See `ArchiveFiles.prepare`."""
        self._files.prepare(datastore)

    def server_settings(self, datastore: Datastore) -> dict[str, object]:
        """What makes its server archive; empty where that is impossible."""
        if self.lack() is not None:
            return {}
        return archive_conf.server_settings(places.places_of(self._paths, datastore))

    def binds(self, datastore: Datastore) -> tuple[Bind, ...]:
        """What its server must see to archive; empty where that is impossible."""
        return () if self.lack() is not None else self._files.server_binds(datastore)

    def is_kept(self, datastore: Datastore) -> bool:
        """See `DatastoreArchives`."""
        return str(self._files.work(datastore)) in self._seen(datastore)

    def reaches_target(self, datastore: Datastore) -> bool:
        """See `DatastoreArchives`."""
        repository = self._files.repository(archive_name(datastore))
        return repository.bucket is not None or repository.path in self._seen(datastore)

    def _seen(self, datastore: Datastore) -> set[str]:
        """The platform's paths that its server sees, as it was started."""
        spec = SpecPaths(self._settings).spec(datastore.group, SERVER_LABEL)
        binds = (read_json(spec) or {}).get("binds")
        return {str(one["target"]) for one in binds} if isinstance(binds, list) else set()

    def beat(self, datastore: Datastore) -> None:
        """See `DatastoreArchives`."""
        self._queries.run(datastore, archive_sql.BEAT)

    def has_lost(self, datastore: Datastore) -> bool:
        """See `DatastoreArchives`."""
        return self._files.dropped(datastore).exists()

    def archiving(self, datastore: Datastore) -> Archiving:
        """See `DatastoreArchives`."""
        to, failing = self._queries.run(datastore, archive_sql.ARCHIVING).strip().split("|")
        dropped = self._files.dropped(datastore)
        lost = None
        with suppress(OSError):
            lost = datetime.fromtimestamp(dropped.lstat().st_mtime, UTC)
        return Archiving(parse_seconds(to), parse_seconds(failing), lost)

    def flush(self, datastore: Datastore, limit_s: float = _FLUSH_LIMIT_S) -> datetime:
        """See `DatastoreArchives`."""
        moment, wal_file = self._queries.run(datastore, archive_sql.FLUSH).split()
        question = archive_sql.is_archived(wal_file)
        if not wait_until(lambda: self._queries.run(datastore, question).strip() == "t", limit_s):
            raise PaasError(
                "archive-behind",
                f"The latest changes of {datastore.name} were not archived within {limit_s:g} s.",
                f"An earlier moment can be restored; see: paas pg:info {datastore.name}",
            )
        found = parse_seconds(moment)
        assert found is not None
        return found

    def refuse_unreachable(self) -> None:
        """See `DatastoreArchives`."""
        target = self._backups.target()
        if not isinstance(target, S3Target):
            self._files.refuse_absent(Path(target.directory or self._paths.backups))
            return
        host, port = archive_conf.endpoint(target)
        try:
            socket.create_connection((host, port), _CONNECT_LIMIT_S).close()
        except OSError as error:
            raise PaasError(
                "archive-unreachable",
                f"{target.words} cannot be reached: {error.strerror or error}.",
                f"Nothing answers on {host}, port {port}. See: paas backups:test",
            ) from error

    def back_up(self, datastore: Datastore, *, full: bool) -> None:
        """See `DatastoreArchives`."""
        self.prepare(datastore)
        dropped = self._files.dropped(datastore)
        lost = full and dropped.exists()
        self._make_stanza(datastore)
        if lost:
            # What is given up from now on is reported again.
            dropped.unlink(missing_ok=True)
        try:
            self._pgbackrest.on(
                datastore,
                f"--type={'full' if full else 'incr'}",
                "backup",
                limit_s=_BACKUP_LIMIT_S,
            )
        except BaseException:
            if lost:
                _mark(dropped)
            raise

    def adopt(self, datastore: Datastore) -> None:
        """Archive what it writes from now on, with files of another major version."""
        self.prepare(datastore)
        self._make_stanza(datastore)

    def _make_stanza(self, datastore: Datastore) -> None:
        """It may exist; for another major version it cannot be created again."""
        try:
            self._pgbackrest.on(datastore, "stanza-create")
        except PaasError:
            self._pgbackrest.on(datastore, "stanza-upgrade")

    def holdings(self, name: ArchiveName, datastore: Datastore | None) -> Holdings | None:
        """See `DatastoreArchives`."""
        if datastore is not None:
            lines = self._pgbackrest.on(datastore, "--output=json", "info")
            return read_info(name, lines)
        return read_info(
            name, self._pgbackrest.as_root(name, f"--stanza={STANZA}", "--output=json", "info")
        )

    def fork(self, source: Datastore, new: Datastore, moment: datetime | None) -> None:
        """See `DatastoreArchives`."""
        self._copies.fork(source, new, moment)

    def recover(self, name: ArchiveName, new: Datastore, moment: datetime | None) -> None:
        """See `DatastoreArchives`."""
        self._copies.recover(name, new, moment)

    def rehearse(self, datastore: Datastore) -> Rehearsal:
        """See `DatastoreArchives`."""
        database = archive_sql.database_of(datastore.name)
        live = self._queries.run(datastore, archive_sql.TABLES, database).splitlines()
        moment = self.flush(datastore)
        return compared(self._copies.rehearse(datastore, moment), live, moment)

    def space(self, datastore: Datastore) -> tuple[int, int]:
        """See `DatastoreArchives`."""
        root = places.places_of(self._paths, datastore).root
        return directories.size_bytes(root / "data"), shutil.disk_usage(root).free

    def leave(self, datastore: Datastore, *, kept: bool) -> None:
        """See `DatastoreArchives`. Before a first backup nothing is written to a bucket."""
        with suppress(PaasError):
            repository = self._files.repository(archive_name(datastore))
            if repository.bucket is not None or not Path(repository.path).is_dir():
                return
            if kept:
                hand_over(Path(repository.path), 0)
            else:
                directories.remove(Path(repository.path))

    def remove(self, name: ArchiveName) -> None:
        """See `DatastoreArchives`."""
        self._pgbackrest.as_root(None, "--recurse", "repo-rm", name)


def _mark(path: Path) -> None:
    """Create an empty file in a directory that belongs to another uid."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(path, flags, 0o644))
