"""Logical dumps of a MySQL or MariaDB elsewhere, by mariadb-dump; implements `ExternalDumps`.

It runs as nobody, in a sandbox without any of the platform's files.
"""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager

from paas.adapters.datastores import elsewhere
from paas.adapters.datastores.client_programs import ClientPrograms
from paas.adapters.datastores.mysql import programs
from paas.adapters.datastores.mysql.external import tls_words, version_of
from paas.adapters.datastores.mysql.packing import checking, pack
from paas.domain.datastores.external import External, ExternalUrl
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.interfaces.backups import Sink
from paas.settings import Settings

_CHUNK = 256 * 1024


class ExternalMysqlDumps:
    """`ExternalDumps` for MySQL and MariaDB."""

    def __init__(self, settings: Settings) -> None:
        self._programs = ClientPrograms(settings)

    def require(self, external: External) -> None:  # noqa: ARG002 - of whatever version
        """See `ExternalDumps`."""
        if not programs.DUMP.exists():
            raise elsewhere.not_installed("MariaDB", "mariadb-client")

    def dump(
        self, external: External, address: str, *, compressed: bool = False
    ) -> Iterator[bytes]:
        """See `ExternalDumps`."""
        self.require(external)
        return pack(self._dump(external, address), compressed=compressed)

    def checking(self, external: External) -> AbstractContextManager[Sink]:  # noqa: ARG002 - all
        """See `ExternalDumps`: all of it is unpacked, and has its last line."""
        return checking()

    def _require_tls(self, url: ExternalUrl, address: str) -> None:
        """mariadb-dump would continue without TLS if the server had lost it: see `version_of`."""
        try:
            version_of(url, address, encrypted=True)
        except (ProgramFailedError, TimedOutError) as error:
            raise PaasError(
                "datastore-tool",
                f"{url.host}:{url.port} refuses the login, or no longer offers TLS.",
                "To use it without TLS, give its URL again: paas addons:attach --url",
                context=error.context,
            ) from error

    def _dump(self, external: External, address: str) -> Iterator[bytes]:
        url = external.parsed
        if external.facts.encrypted:
            version_of(url, address, encrypted=True)
        argv = (
            *(str(programs.DUMP), "--no-defaults", *tls_words(encrypted=external.facts.encrypted)),
            *("--protocol=tcp", f"--host={address}", f"--port={url.port}", f"--user={url.user}"),
            *(*programs.DUMP_OPTIONS, "--", url.database),
        )
        env = {**programs.ENV, "MYSQL_PWD": url.password.reveal()}
        with self._programs.running(external, argv, env, stdout=subprocess.PIPE) as program:
            while data := program.stdout.read(_CHUNK):
                yield data
            program.finish()
