"""Reading a dump of PostgreSQL to its end, to check that it is complete."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from paas.adapters.datastores.client_programs import ClientPrograms
from paas.domain.datastores.dumps import Dumped
from paas.domain.values.errors import PaasError
from paas.interfaces.backups import Sink


@contextmanager
def checking(
    client_programs: ClientPrograms, one: Dumped, pg_restore: str, env: Mapping[str, str]
) -> Iterator[Sink]:
    """Reads a dump in the custom format; pg_restore's output is discarded.

    Raises PaasError if it is not one, or is incomplete.
    """
    argv = (pg_restore, "--file=/dev/null")
    with client_programs.running(one, argv, env, stdin=subprocess.PIPE) as program:
        try:
            yield program.stdin.write
            program.stdin.close()
        except BrokenPipeError:
            program.finish()  # it tells why it left
            raise PaasError(
                "dump-not-loaded", "The dump is incomplete: pg_restore stopped reading it."
            ) from None
        program.finish()
