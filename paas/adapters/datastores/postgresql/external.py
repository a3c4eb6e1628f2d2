"""A PostgreSQL elsewhere: gets its version, and opens psql on it."""

from pathlib import Path

from paas.adapters.datastores import elsewhere
from paas.adapters.datastores.postgresql import programs
from paas.domain.datastores.external import ExternalFacts, ExternalUrl
from paas.domain.values.names import VarName
from paas.interfaces import ClientCommand


class ExternalPostgresql:
    """`ExternalServer` for PostgreSQL."""

    def check(self, url: ExternalUrl, address: str) -> ExternalFacts:
        """See `ExternalServer`.

        That it answered with TLS is taken from the client, since its own view of that is empty for
        a login that takes another role.
        """
        psql = _psql()

        def ask(encrypted: bool) -> str:
            env = {
                **{str(name): value for name, value in _environment(url).items()},
                "PGHOSTADDR": address,
                "PGSSLMODE": "require" if encrypted else "disable",
                "PGCONNECT_TIMEOUT": str(elsewhere.CONNECT_LIMIT_S),
                "PGPASSFILE": "/dev/null",
            }
            words = ("--no-psqlrc", "--no-align", "--tuples-only", "--no-password")
            said = elsewhere.run((psql, *words, "--command", "SHOW server_version"), env)
            return said.split()[0] if said.split() else ""

        return elsewhere.check(url, ask)

    def client(self, url: ExternalUrl, statement: str | None) -> ClientCommand:
        """See `ExternalServer`; psql."""
        words = ("-c", statement) if statement is not None else ()
        env = {**_environment(url), VarName("PSQL_HISTORY"): "/dev/null"}
        if url.tls is not None:
            env[VarName("PGSSLMODE")] = url.tls
        return ClientCommand((str(_psql()), *words), env)


def _environment(url: ExternalUrl) -> dict[VarName, str]:
    return {
        VarName("PGHOST"): url.host,
        VarName("PGPORT"): str(url.port),
        VarName("PGUSER"): url.user,
        VarName("PGPASSWORD"): url.password.reveal(),
        VarName("PGDATABASE"): url.database,
    }


def _psql() -> Path:
    """The newest one. Raises PaasError if there is none."""
    found = programs.client_versions()
    path = programs.LIB / found[-1] / "bin" / "psql" if found else Path("/usr/bin/psql")
    if not path.exists():
        raise elsewhere.not_installed("PostgreSQL", "postgresql-client")
    return path
