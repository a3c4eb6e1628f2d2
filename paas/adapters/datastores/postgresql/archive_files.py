"""Where archives of PostgreSQL are, and the files on this machine that give access to them."""

from contextlib import suppress
from pathlib import Path

from paas.adapters.backups.local import MARK
from paas.adapters.datastores import places
from paas.adapters.datastores.postgresql import archive_conf
from paas.adapters.datastores.postgresql.archive_conf import (
    CA,
    CONF,
    PUSH,
    Repository,
    repository_of,
)
from paas.adapters.system.files import make_directory, read_bytes, write_atomic
from paas.domain.datastores.archives import ArchiveName, archive_name, archive_passphrase
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.launch_spec import Bind
from paas.domain.values.errors import PaasError
from paas.interfaces import BackupSettings
from paas.settings import Settings

_DROPPED = "dropped"


class ArchiveFiles:
    """The archives of all datastores, in the current target."""

    def __init__(self, settings: Settings, backups: BackupSettings) -> None:
        self._settings = settings
        self._paths = settings.paths
        self._backups = backups

    def repository(self, name: ArchiveName) -> Repository:
        """Where an archive is, and its passphrase. Raises PaasError."""
        passphrase = archive_passphrase(self._backups.key(), name)
        return repository_of(self._backups.target(), self._paths.backups, name, passphrase)

    def repository_binds(self, name: ArchiveName) -> tuple[Bind, ...]:
        """What has to be visible to read it."""
        repository = self.repository(name)
        return () if repository.bucket is not None else (Bind(repository.path, repository.path),)

    def work(self, datastore: Datastore) -> Path:
        """pgBackRest's own files, below those of a datastore."""
        return places.places_of(self._paths, datastore).root / "archive"

    def dropped(self, datastore: Datastore) -> Path:
        """A file that exists from when log files were dropped until the next full backup."""
        return self.work(datastore) / _DROPPED

    def server_binds(self, datastore: Datastore) -> tuple[Bind, ...]:
        """What a server must see to archive, if it exists."""
        found = [self.work(datastore)]
        with suppress(PaasError):
            repository = self.repository(archive_name(datastore))
            if repository.bucket is None:
                found.append(Path(repository.path))
        return tuple(Bind(str(path), str(path), writable=True) for path in found if path.is_dir())

    def prepare(self, datastore: Datastore) -> None:
        """Create the directories of its archive, and write pgBackRest's configuration.

        Raises PaasError if the target does not exist, or the key cannot be read.
        """
        found, owner = places.places_of(self._paths, datastore), (datastore.uid, datastore.uid)
        repository, work = self.repository(archive_name(datastore)), self.work(datastore)
        for path in (work, *(work / name for name in ("lock", "log", "spool"))):
            make_directory(path, owner=owner)
        if repository.bucket is None:
            path = Path(repository.path)
            self.refuse_absent(path.parent.parent)
            make_directory(path.parent, mode=0o711)
            make_directory(path, owner=owner)
        script = archive_conf.push_script(found.conf / CONF, self.dropped(datastore))
        write_atomic(found.conf / PUSH, script, mode=0o640, owner=(0, datastore.uid))
        self.configure(found.conf, datastore.uid, repository, work, (found, datastore.port))

    def configure(
        self,
        directory: Path,
        uid: int,
        repository: Repository,
        work: Path,
        server: tuple[places.Places, int] | None,
    ) -> None:
        """Write pgBackRest's configuration where a uid can read it, in spite of its sandbox."""
        ca_file = None
        if (machines := self._settings.build_env.get("SSL_CERT_FILE")) is not None:
            ca_file = directory / CA
            data = read_bytes(Path(machines)) or b""
            write_atomic(ca_file, data, mode=0o640, owner=(0, uid), durable=False)
        text = archive_conf.archive_conf(repository, work, ca_file, server)
        write_atomic(directory / CONF, text, mode=0o640, owner=(0, uid))

    def refuse_absent(self, directory: Path) -> None:
        """The platform's own directory is created; another may be a disk that is not mounted."""
        if directory == self._paths.backups:
            make_directory(directory, mode=0o711)
        elif not (directory / MARK).exists():
            raise PaasError(
                "archive-unreachable",
                f"The directory for backups, {directory}, is not there, or its disk is not "
                "mounted.",
                "Mount it, or choose another: paas backups:target local DIRECTORY",
            )
