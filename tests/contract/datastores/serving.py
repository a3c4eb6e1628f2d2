"""Makes a datastore that serves, and removes it again, for tests of each kind."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from paas.adapters.datastores.postgresql.archive import PgBackRestArchives
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import DatastoreServer, Runtime
from paas.settings import Settings
from tests.fakes.backups import FakeBackupSettings
from tests.fakes.datastores import FakeDatastoreServer
from tests.fakes.runtime import FakeRuntime
from tests.ports import free_port
from tests.waiting import wait_for

LIMIT_S = 150.0


class NoArchives(PgBackRestArchives):
    """As on a server without pgBackRest.

    Before its first backup a server cannot archive, and tries for seconds whenever it ends.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, FakeBackupSettings())

    def lack(self) -> PaasError:
        """It is missing."""
        return PaasError("archive-missing", "pgBackRest is not installed.")


def datastore(kind: DatastoreKind, version: str, uid: int, password: str) -> Datastore:
    """One of that kind, at a free port; it is not made yet."""
    return Datastore(
        id=3,
        name=DatastoreName(f"{kind}-curly-1234"),
        kind=kind,
        version=version,
        plan=SMALL,
        app_id=1,
        uid=uid,
        port=free_port(),
        state=DatastoreState.PENDING,
        password=Secret(password),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@contextmanager
def serving(server: DatastoreServer, runtime: Runtime, one: Datastore) -> Iterator[None]:
    """What a command does to make one, and to remove it."""
    begun = time.monotonic()
    server.create(one)
    workload = server.workload(one)
    runtime.start([workload])
    try:
        server.set_up(one, LIMIT_S)
        print(f"made in {time.monotonic() - begun:.1f} s")
        yield
    finally:
        assert runtime.stop([workload], LIMIT_S) == set()
        server.remove(one.id)


@contextmanager
def fake_serving(one: Datastore) -> Iterator[tuple[FakeDatastoreServer, FakeRuntime]]:
    """The same with the fakes."""
    server, runtime = FakeDatastoreServer(one.version), FakeRuntime()
    server.is_running = lambda id: id in runtime.running
    with serving(server, runtime, one):
        yield server, runtime


def wait_until_quiet(server: DatastoreServer, one: Datastore) -> None:
    """Wait until it has no sessions: it may notice a moment later that a client has gone."""
    wait_for(lambda: server.figures(one).connections == 0, what="no session is left")


def contents_below(root: Path) -> Iterator[tuple[Path, bytes]]:
    """Each file with its content; a server makes, renames and removes some meanwhile."""
    for folder, _, names in os.walk(root):
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):
                if stat.S_ISREG(path.stat().st_mode):
                    yield path, path.read_bytes()


def owners_below(root: Path) -> set[int]:
    """The uids whose files and folders are there."""
    found = set()
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            with suppress(FileNotFoundError):
                found.add(Path(folder, name).lstat().st_uid)
    return found


def refuse_leftovers(directory: Path) -> None:
    """Nothing of a datastore may be left in the platform's directory of them."""
    assert not any(directory.iterdir())


def never_made(one: Datastore) -> Datastore:
    """Another one, which there is not."""
    return replace(one, id=99, port=free_port())
