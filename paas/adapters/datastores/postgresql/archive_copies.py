"""Restores archives of PostgreSQL: as a fork, as a recovered datastore, or to rehearse."""

import shutil
from datetime import datetime

from paas.adapters.datastores import places
from paas.adapters.datastores.postgresql import archive_sql, layout
from paas.adapters.datastores.postgresql.archive_conf import Repository
from paas.adapters.datastores.postgresql.archive_files import ArchiveFiles
from paas.adapters.datastores.postgresql.restoring import Restoring, Source, hand_over
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.system import directories
from paas.adapters.system.files import make_directory
from paas.domain.datastores.archives import ArchiveName, archive_name
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.launch_spec import Bind
from paas.paths import Paths


class ArchiveCopies:
    """What is copied is never changed."""

    def __init__(self, paths: Paths, files: ArchiveFiles, tools: DatastoreTools) -> None:
        self._paths = paths
        self._files = files
        self._restoring = Restoring(tools)

    def fork(self, source: Datastore, new: Datastore, moment: datetime | None) -> None:
        """See `DatastoreArchives`."""
        self._make(new, self._own(source), moment, source.name)

    def recover(self, name: ArchiveName, new: Datastore, moment: datetime | None) -> None:
        """See `DatastoreArchives`.

        A local archive is copied first: the new uid may not read it where it is, and whoever
        brings it may have mounted it read-only.
        """
        repository = self._files.repository(name)
        root = places.places_of(self._paths, new).root
        brought = root / "brought"
        owner = (new.uid, new.uid)
        directories.remove(root)
        make_directory(root, mode=0o711)
        make_directory(brought, mode=0o700, owner=owner)
        binds: tuple[Bind, ...] = ()
        if repository.bucket is None:
            copy = brought / "archive"
            shutil.copytree(repository.path, copy, symlinks=True)
            hand_over(copy, new.uid)
            repository = Repository(str(copy), None, repository.passphrase)
            binds = (Bind(str(copy), str(copy)),)
        conf = brought / "conf"
        make_directory(conf, mode=0o750, owner=(0, new.uid))
        self._files.configure(conf, new.uid, repository, brought, None)
        try:
            self._make(new, Source(new, conf, binds), moment, name.rpartition(".")[0])
        finally:
            directories.remove(brought)

    def rehearse(self, datastore: Datastore, moment: datetime) -> list[str]:
        """Check a copy, which is deleted, and return the findings; see `archive_sql.look`."""
        home = places.places_of(self._paths, datastore).root / "rehearsal"
        try:
            return self._restoring.restore(
                self._own(datastore), home, moment, archive_sql.look(datastore.name), check=True
            )
        finally:
            directories.remove(home)

    def _own(self, datastore: Datastore) -> Source:
        """The archive of an existing datastore."""
        conf = places.places_of(self._paths, datastore).conf
        return Source(datastore, conf, self._files.repository_binds(archive_name(datastore)))

    def _make(self, new: Datastore, source: Source, moment: datetime | None, name: str) -> None:
        """The files of a new datastore. name: of the one that is restored."""
        root = places.places_of(self._paths, new).root
        home = root / "recovery"
        layout.make_root(self._paths, new)
        self._restoring.restore(source, home, moment, archive_sql.renamed(name, new.name))
        hand_over(home / "data", new.uid)
        layout.adopt(self._paths, new, home / "data")
        directories.remove(home)
