"""Whether this machine lets builds and one-off commands have their own PID namespace."""

from paas.adapters.system.subprocesses import run
from paas.domain.values.errors import PaasError
from paas.domain.values.exits import exit_words

_LIMIT_S = 10.0


def missing() -> str | None:
    """None if it does, else why not, in words. It tries what the launcher does."""
    try:
        done = run(
            ["/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "/bin/true"],
            description="Trying a PID namespace",
            timeout_s=_LIMIT_S,
            env={"LC_ALL": "C.UTF-8"},
            check=False,
        )
    except PaasError as error:
        return error.report
    words = done.output.decode(errors="replace").strip().partition("\n")[0]
    return None if done.ok else words or exit_words(done.status)
