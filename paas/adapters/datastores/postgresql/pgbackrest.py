"""Runs pgBackRest: with a datastore's uid in its sandbox, or as root on what others left."""

import secrets
from dataclasses import replace
from pathlib import Path

from paas.adapters.datastores import places
from paas.adapters.datastores.postgresql.archive_conf import CONF, PROGRAM, STANZA
from paas.adapters.datastores.postgresql.archive_files import ArchiveFiles
from paas.adapters.datastores.postgresql.queries import ENV
from paas.adapters.datastores.postgresql.size import server_limits
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.system import directories, subprocesses
from paas.adapters.system.files import make_directory
from paas.domain.datastores.archives import ArchiveName
from paas.domain.datastores.datastores import Datastore
from paas.paths import Paths

# Of what only reads a little, or lists.
SHORT_LIMIT_S = 120.0


class PgBackRest:
    """Its commands, each with the configuration of the archive in question."""

    def __init__(self, paths: Paths, files: ArchiveFiles, tools: DatastoreTools) -> None:
        self._paths = paths
        self._files = files
        self._tools = tools

    def on(self, datastore: Datastore, *words: str, limit_s: float = SHORT_LIMIT_S) -> list[str]:
        """Run it for a datastore; returns what it printed. Raises PaasError with its last lines."""
        found = places.places_of(self._paths, datastore)
        argv = (
            *("/usr/bin/nice", "-n", "10", PROGRAM, f"--config={found.conf / CONF}"),
            *(f"--stanza={STANZA}", *words),
        )
        return self._tools.run(
            datastore,
            argv,
            ENV,
            server_limits(datastore),
            limit_s=limit_s,
            binds=(*found.binds, *self._files.server_binds(datastore)),
            program=f"pgbackrest {next(word for word in words if not word.startswith('-'))}",
            separate=True,
        )

    def as_root(self, name: ArchiveName | None, *words: str) -> list[str]:
        """Run it on an archive whose datastore is gone; None means the folder of all archives."""
        if name is not None:
            repository = self._files.repository(name)
        else:
            repository = self._files.repository(ArchiveName(""))
            repository = replace(repository, path=repository.path.rstrip("/"), passphrase=None)
        work = self._paths.command_specs / f"archive-{secrets.token_hex(6)}"
        make_directory(work.parent)
        make_directory(work)
        try:
            self._files.configure(work, 0, repository, work, None)
            return (
                subprocesses.run(
                    [PROGRAM, f"--config={work / CONF}", *words],
                    description="Reading the archives",
                    timeout_s=SHORT_LIMIT_S,
                    env=ENV,
                    cwd=Path("/"),
                )
                .output.decode("utf-8", "replace")
                .splitlines()
            )
        finally:
            directories.remove(work)
