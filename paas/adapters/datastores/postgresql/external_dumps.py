"""Logical dumps of a PostgreSQL elsewhere, by pg_dump; implements `ExternalDumps`.

The programs run as nobody, in a sandbox without any of the platform's files.
"""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager

from paas.adapters.datastores.client_programs import ClientPrograms
from paas.adapters.datastores.postgresql import programs
from paas.adapters.datastores.postgresql.checking import checking
from paas.adapters.datastores.postgresql.dumps import LOCK_LIMIT_S
from paas.domain.datastores.external import External
from paas.domain.values.errors import PaasError
from paas.interfaces.backups import Sink
from paas.settings import Settings

_CHUNK = 256 * 1024
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
# A host that is gone is noticed within two minutes, however long a dump may take.
_KEEPALIVE = "keepalives=1 keepalives_idle=60 keepalives_interval=10 keepalives_count=6"


class ExternalPostgresqlDumps:
    """`ExternalDumps` for PostgreSQL."""

    def __init__(self, settings: Settings) -> None:
        self._programs = ClientPrograms(settings)

    def require(self, external: External) -> None:
        """See `ExternalDumps`: pg_dump dumps servers of its own version and earlier ones."""
        newest = _newest()
        version = external.version.partition(".")[0]
        if version.isdigit() and int(version) > int(newest):
            raise PaasError(
                "external-too-new",
                f"{external.name} is PostgreSQL {external.version}, which pg_dump {newest}, the "
                "newest on this server, cannot dump.",
                f"Root on the server installs postgresql-client-{version}, from "
                "https://apt.postgresql.org if the distribution does not have it.",
            )

    def dump(
        self,
        external: External,
        address: str,
        *,
        compressed: bool = False,  # noqa: ARG002 - the form is, anyway
    ) -> Iterator[bytes]:
        """See `ExternalDumps`; in PostgreSQL's own form."""
        self.require(external)
        url = external.parsed
        env = {
            **_ENV,
            "PGHOST": url.host,
            "PGHOSTADDR": address,
            "PGPORT": str(url.port),
            "PGUSER": url.user,
            "PGPASSWORD": url.password.reveal(),
            "PGDATABASE": url.database,
            "PGSSLMODE": "require" if external.facts.encrypted else "disable",
            "PGCONNECT_TIMEOUT": "10",
            "PGPASSFILE": "/dev/null",
        }
        argv = (
            *(_binary("pg_dump"), "--format=custom", "--no-password", f"--dbname={_KEEPALIVE}"),
            f"--lock-wait-timeout={LOCK_LIMIT_S * 1000}",
        )
        with self._programs.running(external, argv, env, stdout=subprocess.PIPE) as program:
            while data := program.stdout.read(_CHUNK):
                yield data
            program.finish()

    def checking(self, external: External) -> AbstractContextManager[Sink]:
        """See `ExternalDumps`: pg_restore writes all of it, to nowhere."""
        return checking(self._programs, external, _binary("pg_restore"), _ENV)


def _newest() -> str:
    """The newest major version whose programs are installed. Raises PaasError if there are none."""
    found = programs.client_versions()
    if not found:
        raise PaasError(
            "datastore-not-installed",
            "A dump needs pg_dump, which is not installed on this server.",
            "Root on the server installs it: apt-get install postgresql-client",
        )
    return found[-1]


def _binary(name: str) -> str:
    return str(programs.LIB / _newest() / "bin" / name)
