"""A MySQL or MariaDB elsewhere: gets its version, and opens MariaDB's client on it."""

from paas.adapters.datastores import elsewhere
from paas.adapters.datastores.mysql import programs
from paas.domain.datastores.external import ExternalFacts, ExternalUrl
from paas.domain.values.errors import PaasError, ProgramFailedError
from paas.domain.values.names import VarName
from paas.interfaces import ClientCommand

# The server may ask for files of the client's, and gets none.
_OPTIONS = ("--no-defaults", "--default-character-set=utf8mb4", "--local-infile=0")
_ASKED = "SELECT @@version; SHOW SESSION STATUS LIKE 'Ssl_cipher'"
# What the client says once it has got as far as the password.
_DENIED = ("ERROR 1044 ", "ERROR 1045 ", "ERROR 1049 ", "ERROR 1698 ")


class ExternalMysql:
    """`ExternalServer` for MySQL and MariaDB."""

    def check(self, url: ExternalUrl, address: str) -> ExternalFacts:
        """See `ExternalServer`."""
        _require_client()
        return elsewhere.check(
            url, lambda encrypted: version_of(url, address, encrypted=encrypted), _is_denied
        )

    def client(self, url: ExternalUrl, statement: str | None) -> ClientCommand:
        """See `ExternalServer`; mariadb."""
        _require_client()
        words = (f"--execute={statement}",) if statement is not None else ()
        tls = tls_words(encrypted=url.tls != "disable") if url.tls not in (None, "prefer") else ()
        return ClientCommand(
            (str(programs.CLIENT), *_OPTIONS, *tls, *_words(url, url.host), *words),
            {
                VarName("MYSQL_PWD"): url.password.reveal(),
                VarName("MYSQL_HISTFILE"): "/dev/null",
            },
        )


def version_of(url: ExternalUrl, address: str, *, encrypted: bool) -> str:
    """Product and number, as ``10.11.6-MariaDB``.

    The client continues without TLS if the server has none (before MariaDB 11.4), so the server is
    asked about that, too. Raises PaasError if the login is refused, or the required TLS is missing.
    """
    argv = (
        *(str(programs.CLIENT), *_OPTIONS, *tls_words(encrypted=encrypted), "--batch"),
        *("--skip-column-names", f"--connect-timeout={elsewhere.CONNECT_LIMIT_S}"),
        *(*_words(url, address), f"--execute={_ASKED}"),
    )
    said = elsewhere.run(argv, {"MYSQL_PWD": url.password.reveal()}).splitlines()
    if len(said) != 2 or (encrypted and not said[1].partition("\t")[2].strip()):
        raise ProgramFailedError(
            "program-failed",
            "The check of the database failed.",
            context=["The server does not offer TLS."],
        )
    return "-".join(said[0].strip().split("-")[:2])


def _words(url: ExternalUrl, host: str) -> tuple[str, ...]:
    return (
        *("--protocol=tcp", f"--host={host}", f"--port={url.port}"),
        *(f"--user={url.user}", f"--database={url.database}"),
    )


def tls_words(*, encrypted: bool) -> tuple[str, ...]:
    """Since certificates are not verified, the connection may still lack TLS: see `version_of`."""
    return ("--ssl", "--skip-ssl-verify-server-cert") if encrypted else ("--skip-ssl",)


def _is_denied(error: PaasError) -> bool:
    """Another attempt without TLS would only count as one more wrong password."""
    return any(line.startswith(_DENIED) for line in error.context)


def _require_client() -> None:
    if not programs.CLIENT.exists():
        raise elsewhere.not_installed("MariaDB", "mariadb-client")
