"""A Redis or Valkey elsewhere: gets its version, and opens redis-cli on it."""

from pathlib import Path

from paas.adapters.datastores import elsewhere
from paas.adapters.datastores.redis import programs
from paas.adapters.datastores.redis.asking import PASSWORD, fields
from paas.adapters.datastores.redis.words import words_of
from paas.domain.datastores.external import ExternalFacts, ExternalUrl
from paas.domain.values.errors import ProgramFailedError
from paas.domain.values.names import VarName
from paas.interfaces import ClientCommand

# What the client prints first, and goes on, if login or database are not accepted.
_REFUSED = ("AUTH failed", "SELECT ", "Warning: AUTH failed")


class ExternalRedis:
    """`ExternalServer` for Redis and Valkey. Only the scheme decides whether TLS is used."""

    def check(self, url: ExternalUrl, address: str) -> ExternalFacts:
        """See `ExternalServer`."""
        cli = _cli()

        def ask(encrypted: bool) -> str:
            argv = (str(cli), *_words(url, address, encrypted=encrypted), "INFO", "server")
            said = elsewhere.run(argv, {PASSWORD: url.password.reveal()}, is_ok=False)
            return _version(said)

        return elsewhere.check(url, ask)

    def client(self, url: ExternalUrl, statement: str | None) -> ClientCommand:
        """See `ExternalServer`; redis-cli."""
        words = _words(url, url.host, encrypted=url.tls == "require")
        return ClientCommand(
            (str(_cli()), *words, *words_of(statement)),
            {
                VarName(PASSWORD): url.password.reveal(),
                VarName("REDISCLI_HISTFILE"): "/dev/null",
            },
        )


def _words(url: ExternalUrl, host: str, *, encrypted: bool) -> tuple[str, ...]:
    """-e: it exits with 1 if a command fails."""
    return (
        *("-e", "--no-auth-warning", "-h", host, "-p", str(url.port)),
        *(("--user", url.user) if url.user else ()),
        *(("-n", url.database) if url.database != "0" else ()),
        *(("--tls", "--insecure", "--sni", url.host) if encrypted else ()),
    )


def _version(said: str) -> str:
    """The version in the output of ``INFO server``. Raises ProgramFailedError if it refused.

    A login that may not ask for the version was accepted, too.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if lines and lines[0].startswith("NOPERM"):
        return ""
    info = fields(said)
    if any(line.startswith(_REFUSED) for line in lines) or "redis_version" not in info:
        raise ProgramFailedError(
            "program-failed",
            "The check of the database failed.",
            context=lines[:3],
        )
    version = info["redis_version"]
    return f"{version} (Valkey {info['valkey_version']})" if "valkey_version" in info else version


def _cli() -> Path:
    """The client of Redis or Valkey. Raises PaasError if there is neither."""
    found = programs.present()
    if found is None:
        raise elsewhere.not_installed("Redis", "redis-tools")
    return found.cli
