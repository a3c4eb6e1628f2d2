"""What the kinds share for databases elsewhere: connecting as nobody, with or without TLS."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from paas.adapters.system import subprocesses
from paas.domain.datastores.external import ExternalFacts, ExternalUrl
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.domain.values.names import printable

CONNECT_LIMIT_S = 5
_LIMIT_S = 15.0
_VERSION_MAX = 40
# An account without rights and files, since the other side may be anybody's.
_AS_NOBODY = (
    *("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"),
)
# Whether to try with TLS, one after the other. Certificates are not verified: the question is
# whether it encrypts.
_TRIES = {"disable": (False,), "allow": (True, False), "prefer": (True, False)}


def check(
    url: ExternalUrl,
    ask: Callable[[bool], str],
    is_final: Callable[[PaasError], bool] = lambda _error: False,
) -> ExternalFacts:
    """Get the version, with TLS if that works, or as the URL requires.

    ask: connects with or without TLS. is_final: whether a failure has nothing to do with TLS.
    Raises PaasError.
    """
    failure: PaasError | None = None
    for encrypted in _TRIES.get(url.tls or "prefer", (True,)):
        try:
            version = ask(encrypted)
        except (ProgramFailedError, TimedOutError) as error:
            failure = error
            if is_final(error):
                break
        else:
            return ExternalFacts(
                printable(version.strip()[:_VERSION_MAX]) or "of an unknown version",
                encrypted=encrypted,
            )
    raise PaasError(
        "external-refused",
        f"{url.host}:{url.port} did not let {url.user or 'anybody with this password'} use "
        f"{url.database}.",
        "Check the login, password, database and TLS options in the URL, then try again.",
        context=failure.context if failure is not None else (),
    ) from failure


def run(
    argv: Sequence[str | Path], env: Mapping[str, str], stdin: bytes = b"", *, is_ok: bool = True
) -> str:
    """Run a client; returns what it prints. is_ok: whether it has to succeed. Raises PaasError."""
    return subprocesses.run(
        [*_AS_NOBODY, *argv],
        description="The check of the database",
        timeout_s=_LIMIT_S,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **env},
        cwd=Path("/"),
        stdin=stdin,
        check=is_ok,
    ).output.decode("utf-8", "replace")


def not_installed(product: str, package: str) -> PaasError:
    """The error that no client is installed."""
    return PaasError(
        "datastore-not-installed",
        f"The check needs {product}'s client, which is not installed on this server.",
        f"Root on the server installs it: apt-get install --no-install-recommends {package}",
    )
