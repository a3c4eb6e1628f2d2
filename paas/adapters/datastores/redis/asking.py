"""The platform's own commands to a Redis, over the socket that only root can reach."""

from collections.abc import Sequence
from pathlib import Path

from paas.adapters.datastores.places import Places
from paas.adapters.datastores.redis import conf, programs
from paas.adapters.system import subprocesses
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError

ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
PASSWORD = "REDISCLI_AUTH"  # noqa: S105 - the name of the variable
_LIMIT_S = 30.0


def platform_password(places: Places) -> str:
    """The password of the user ``default``. Raises OSError if the datastore was never created."""
    return platform_file(places).read_text()


def platform_file(places: Places) -> Path:
    """Where it is stored, readable only by root."""
    return places.root / "platform"


def ask(
    datastore: Datastore, places: Places, commands: Sequence[str], limit_s: float = _LIMIT_S
) -> str:
    """What Redis answers to one command after another. Raises PaasError if one fails.

    commands: they contain no password.
    """
    try:
        return subprocesses.run(
            [programs.needed().cli, "-e", "-s", places.socket / conf.SOCKET],
            description=f"A command to {datastore.name}",
            timeout_s=limit_s,
            env={**ENV, PASSWORD: platform_password(places)},
            cwd=Path("/"),
            stdin="".join(f"{command}\n" for command in commands).encode(),
        ).output.decode("utf-8", "replace")
    except (ProgramFailedError, TimedOutError, OSError) as error:
        raise PaasError(
            "datastore-down",
            f"The server of {datastore.name} does not answer.",
            "Ask the server's operator to run: paas doctor",
            context=error.context if isinstance(error, PaasError) else (),
        ) from error


def fields(info: str) -> dict[str, str]:
    """The fields of INFO."""
    pairs = (line.partition(":") for line in info.splitlines() if not line.startswith("#"))
    return {name: value.strip() for name, colon, value in pairs if colon}
