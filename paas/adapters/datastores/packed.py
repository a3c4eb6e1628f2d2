"""Compressed incoming dumps, detected by their first bytes, and unpacking them."""

import gzip
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from paas.adapters.datastores.client_programs import ClientPrograms, Program
from paas.adapters.datastores.spool import Spool
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError

GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_PROGRAM = Path("/usr/bin/zstd")
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
_CHUNK = 1024**2
HOW = "Dump it again, and see docs/how-to/import-a-database.md."

Spooling = Callable[[], AbstractContextManager[Spool]]


@contextmanager
def unpacked(
    dump: Spool, spooling: Spooling, programs: ClientPrograms, datastore: Datastore
) -> Iterator[Spool]:
    """The dump, unpacked to another file if it is compressed. Raises PaasError if it is cut."""
    head = dump.head(len(_ZSTD))
    if not head.startswith((GZIP, _ZSTD)):
        yield dump
        return
    with spooling() as larger:
        if head.startswith(GZIP):
            _gunzip(dump, larger)
        else:
            _unzstd(dump, larger, programs, datastore)
        yield larger


def finish(program: Program, what: str) -> None:
    """Wait for a program that reads a dump. Raises PaasError that explains its failure."""
    try:
        program.finish()
    except PaasError as error:
        raise PaasError(
            "dump-not-loaded",
            f"{what}: {error.summary}. Nothing has changed.",
            f"The lines above say why. {HOW}",
            context=error.context,
        ) from error


def _gunzip(dump: Spool, larger: Spool) -> None:
    dump.fileno()
    dump.file.seek(0)
    try:
        with gzip.GzipFile(fileobj=dump.file, mode="rb") as source:
            while data := source.read(_CHUNK):
                larger.write(data)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PaasError(
            "dump-not-loaded",
            "The dump is incomplete: its compressed form ends early, or is damaged.",
            HOW,
        ) from error


def _unzstd(dump: Spool, larger: Spool, programs: ClientPrograms, datastore: Datastore) -> None:
    if not _PROGRAM.exists():
        raise PaasError(
            "dump-not-loaded",
            "The dump is compressed by zstd, which is not installed on this server.",
            f"Unpack it first: zstd -dc FILE | paas {datastore.kind.traits.prefix}:import; or ask "
            "the operator to run: apt-get install zstd",
        )
    with programs.running(
        datastore,
        (str(_PROGRAM), "-dcq"),
        _ENV,
        stdin=dump.fileno(),
        stdout=subprocess.PIPE,
    ) as program:
        while data := program.stdout.read(_CHUNK):
            larger.write(data)
        finish(program, "The dump is incomplete, or cannot be unpacked")
