"""Dumps of Redis: RDB files, made by redis-cli, checked by redis-check-rdb, read by a server.

Implements `DatastoreDumps`. The manifest of the append-only file that is made of a dump has the
form of Redis' aof.c.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from paas.adapters.datastores.client_programs import ClientPrograms
from paas.adapters.datastores.packed import unpacked
from paas.adapters.datastores.places import places_of
from paas.adapters.datastores.redis import conf, exchange, programs
from paas.adapters.datastores.redis.asking import (
    ENV,
    PASSWORD,
    ask,
    fields,
    platform_password,
)
from paas.adapters.datastores.redis.trial import limits_of, make_scratch, run_until_ready
from paas.adapters.datastores.spool import Spool, spooled
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.system import directories
from paas.adapters.system.disk_faults import disk_fault
from paas.adapters.system.files import make_directory, sync_file, write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.redis import max_memory_mib
from paas.domain.values.errors import PaasError
from paas.domain.values.sizes import size_words
from paas.interfaces import DatastoreServer, Runtime
from paas.interfaces.backups import Sink
from paas.interfaces.dumps import IncomingDump
from paas.settings import Settings

_MIB = 1024**2
_CHUNK = 256 * 1024
_CHECK_LIMIT_S = 600.0
_START_LIMIT_S, _STOP_LIMIT_S = 60.0, 70.0
# A server that is full uses a little more than the limit of its data.
_SLACK = 1.1
# What the sandbox was given to read. Root owns it, and the server's uid may read it.
_INPUT = "/proc/self/fd/0"
_BASE, _MANIFEST = "appendonly.aof.1.base.rdb", "appendonly.aof.manifest"


class RedisDumps:
    """Dumps of this machine's datastores. server: see `RedisServer`. runtime: runs it."""

    def __init__(self, settings: Settings, server: DatastoreServer, runtime: Runtime) -> None:
        self._paths, self._free_bytes = settings.paths, settings.min_free_mib * _MIB
        self._server, self._runtime = server, runtime
        self._tools = DatastoreTools(settings)
        self._programs = ClientPrograms(settings)

    def dump(
        self,
        datastore: Datastore,
        *,
        compressed: bool = False,  # noqa: ARG002 - the form is, as far as Redis compresses
    ) -> Iterator[bytes]:
        """See `DatastoreDumps`; what is yielded was checked before its first byte."""
        found = places_of(self._paths, datastore)
        argv = (str(programs.needed().cli), "-s", str(found.socket / conf.SOCKET), "--rdb", "-")
        env = {**ENV, PASSWORD: platform_password(found)}
        with self.spool() as spool:
            with self._programs.running(datastore, argv, env, stdout=subprocess.PIPE) as program:
                while data := program.stdout.read(_CHUNK):
                    spool.write(data)
                program.finish()
            end, _ = self._checked(datastore, spool)
            yield from _parts(spool, end)

    @contextmanager
    def checking(self, datastore: Datastore) -> Iterator[Sink]:
        """See `DatastoreDumps`."""
        with self.spool() as spool:
            yield spool.write
            self._checked(datastore, spool)

    def spool(self) -> AbstractContextManager[Spool]:
        """See `DatastoreDumps`."""
        return spooled(self._paths.incoming, self._free_bytes)

    def load(self, datastore: Datastore, dump: IncomingDump, doing: Callable[[str], None]) -> None:
        """See `DatastoreDumps`. A server has read it before the present one is stopped."""
        assert isinstance(dump, Spool)
        doing("checking the dump")
        with unpacked(dump, self.spool, self._programs, datastore) as file:
            if file.size() > datastore.plan.memory_mib * _MIB:
                raise _too_large(datastore, f"more than {size_words(file.size())}")
            end, needed = self._checked(datastore, file)
            if needed > max_memory_mib(datastore.plan) * _MIB * _SLACK:
                raise _too_large(datastore, f"{size_words(needed)} of memory")
            doing("reading it with a second server")
            try:
                self._prepare(datastore, file, end)
                doing("swapping the data")
                self._exchange(datastore)
            except OSError as error:
                raise disk_fault(error, self._paths.datastores) or error from error
            finally:
                directories.remove(exchange.prepared(places_of(self._paths, datastore)))

    def empty(self, datastore: Datastore, doing: Callable[[str], None]) -> None:
        """See `DatastoreDumps`. The file is rewritten, so that nothing of it is left there."""
        doing("deleting all keys")
        commands = ("FLUSHALL SYNC", "FUNCTION FLUSH SYNC", "SCRIPT FLUSH SYNC", "BGREWRITEAOF")
        ask(datastore, places_of(self._paths, datastore), commands)

    def is_empty(self, datastore: Datastore) -> bool:
        """See `DatastoreDumps`."""
        said = ask(datastore, places_of(self._paths, datastore), ["INFO keyspace"])
        return not any(name.startswith("db") for name in fields(said))

    def tidy(self, datastore: Datastore) -> bool:
        """See `DatastoreDumps`. The server is started if the exchange was interrupted."""
        found = places_of(self._paths, datastore)
        there = exchange.is_left(found)
        if there:
            exchange.settle(found)
            if not self._server.answers(datastore):
                self._runtime.start([self._server.workload(datastore)])
        return there

    def _prepare(self, datastore: Datastore, dump: Spool, end: int) -> None:
        """Create files from a dump beside the present ones, as the base of an append-only file.

        end: where the dump ends. Raises PaasError if a server cannot read them.
        """
        found = places_of(self._paths, datastore)
        owner = (datastore.uid, datastore.uid)
        scratch = make_scratch(exchange.prepared(found), datastore.uid)
        append_only = scratch.data / "appendonlydir"
        make_directory(append_only, mode=0o700, owner=owner)
        with (append_only / _BASE).open("xb") as file:
            for data in _parts(dump, end):
                file.write(data)
        os.chown(append_only / _BASE, *owner)
        sync_file(append_only / _BASE)
        text = f"file {_BASE} seq 1 type b\n"
        write_atomic(append_only / _MANIFEST, text, mode=0o600, owner=owner)
        run_until_ready(self._tools, datastore, found, scratch, programs.needed())

    def _exchange(self, datastore: Datastore) -> None:
        """Have its server run on the prepared files, or on the former ones."""
        found = places_of(self._paths, datastore)
        workload = self._server.workload(datastore)
        self._runtime.stop([workload], _STOP_LIMIT_S)
        try:
            exchange.exchange(found)
        except BaseException:
            self._runtime.start([workload])
            raise
        try:
            self._runtime.start([workload])
            self._server.set_up(datastore, _START_LIMIT_S)
        except BaseException:
            self._runtime.stop([workload], _STOP_LIMIT_S)
            exchange.put_back(found)
            self._runtime.start([workload])
            raise
        exchange.settle(found)

    def _checked(self, datastore: Datastore, file: Spool) -> tuple[int, int]:
        """Have the tool read all of it, in the sandbox.

        Returns where it ends, in bytes, and how much memory its server used, or 0 if that is
        unknown. Raises PaasError if it is damaged or incomplete.
        """
        descriptor = file.fileno()
        os.fchown(descriptor, 0, datastore.uid)
        os.fchmod(descriptor, 0o640)
        try:
            said = self._tools.run(
                *(datastore, (str(programs.needed().check), _INPUT), ENV, limits_of(datastore)),
                limit_s=_CHECK_LIMIT_S,
                binds=(),
                stdin=descriptor,
            )
        except PaasError as error:
            raise _not_whole(error.context) from error
        text = "\n".join(said)
        end = re.search(r"\[offset (\d+)\] Checksum OK", text)
        memory = re.search(r"AUX FIELD used-mem = '(\d+)'", text)
        # Without a checksum, what follows the end is not known.
        return int(end[1]) if end else file.size(), int(memory[1]) if memory else 0


def _parts(file: Spool, end: int) -> Iterator[bytes]:
    descriptor, at = file.fileno(), 0
    while at < end:
        data = os.pread(descriptor, min(_CHUNK, end - at), at)
        if not data:
            return
        at += len(data)
        yield data


def _not_whole(said: tuple[str, ...]) -> PaasError:
    return PaasError(
        "dump-not-loaded",
        "The dump is incomplete: the installed Redis cannot read it as an RDB file. Nothing has "
        "changed.",
        "Dump again: redis-cli --rdb dump.rdb, or paas redis:export.",
        context=said,
    )


def _too_large(datastore: Datastore, needs: str) -> PaasError:
    return PaasError(
        "redis-dump-too-large",
        f"The dump needs {needs}, and {datastore.name} has {max_memory_mib(datastore.plan)} MiB "
        "for data.",
        "Create a larger one: paas addons:create redis:standard -a APP",
    )
