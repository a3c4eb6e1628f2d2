"""The platform's own SQL for a MariaDB, over the socket that only root and its uid can reach."""

from pathlib import Path

from paas.adapters.datastores.mysql import conf, programs
from paas.adapters.datastores.places import places_of
from paas.adapters.system import subprocesses
from paas.domain.datastores.datastores import Datastore
from paas.paths import Paths

_LIMIT_S = 30.0


def ask(paths: Paths, datastore: Datastore, text: str) -> str:
    """What the client prints, as root. Raises PaasError if one of the statements fails.

    A process with the server's uid may be listening there, so it is given no password and no file.
    """
    socket = places_of(paths, datastore).socket / conf.SOCKET
    argv: list[str | Path] = [
        *(programs.CLIENT, "--no-defaults", "--protocol=socket", f"--socket={socket}"),
        *("--user=root", "--batch", "--skip-column-names", "--local-infile=0"),
        *("--connect-timeout=5", "--default-character-set=utf8mb4"),
    ]
    return subprocesses.run(
        argv,
        description=f"A query to {datastore.name}",
        timeout_s=_LIMIT_S,
        env=programs.ENV,
        cwd=Path("/"),
        stdin=text.encode(),
        errors_apart=True,
    ).output.decode("utf-8", "replace")
