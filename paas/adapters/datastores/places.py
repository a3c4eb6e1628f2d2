"""Where the files of a datastore of any kind are, and what its server sees of them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.system import directories
from paas.adapters.system.files import make_directory, read_json, write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.releases.launch_spec import Bind
from paas.paths import Paths


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of one datastore are. root: all except the socket, which is below /run."""

    root: Path
    socket: Path

    @property
    def data(self) -> Path:
        """The server's own directory."""
        return self.root / "data"

    @property
    def conf(self) -> Path:
        """What the platform renders, read-only for the server."""
        return self.root / "conf"

    @property
    def tls(self) -> Path:
        """Certificate and key, if there are any."""
        return self.root / "tls"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.root / "log"

    @property
    def lock(self) -> Path:
        """Held by every process of the server."""
        return self.root / "lock"

    @property
    def read_only(self) -> Path:
        """Exists while the server should be read-only, for kinds that do not store that."""
        return self.root / "read-only"

    @property
    def binds(self) -> tuple[Bind, ...]:
        """What its server sees of the platform's directories, most of it read-only."""
        written = (self.data, self.log, self.socket)
        read = (self.conf, self.tls, self.lock)
        return (
            *(Bind(str(path), str(path), writable=True) for path in written),
            *(Bind(str(path), str(path)) for path in read),
        )


def places_of(paths: Paths, datastore: Datastore) -> Places:
    """The places of a datastore."""
    name = str(datastore.id)
    return Places(paths.datastores / name, paths.datastore_sockets / name)


def make(paths: Paths, datastore: Datastore) -> Places:
    """Create its directories, replacing any that an interrupted attempt left."""
    places = places_of(paths, datastore)
    directories.remove(places.root)
    owner = (datastore.uid, datastore.uid)
    make_directory(paths.datastores, mode=0o711)
    make_directory(places.root, mode=0o710, owner=(0, datastore.uid))
    for path in (places.data, places.log, places.tls):
        make_directory(path, mode=0o700, owner=owner)
    return places


def refresh(paths: Paths, datastore: Datastore, rendered: Iterable[tuple[str, str]]) -> None:
    """Rewrite the configuration, and what a reboot removes.

    rendered: names and texts of the files in ``conf``, which are read-only to the server.
    """
    places, owner = places_of(paths, datastore), (datastore.uid, datastore.uid)
    make_directory(places.socket.parent, mode=0o711)
    make_directory(places.socket, mode=0o700, owner=owner)
    make_directory(places.conf, mode=0o750, owner=(0, datastore.uid))
    if not places.lock.exists():  # never replaced: a server that runs holds it
        write_atomic(places.lock, b"", mode=0o640, owner=(0, datastore.uid))
    texts = dict(rendered)
    for name, text in texts.items():
        write_atomic(places.conf / name, text, mode=0o640, owner=(0, datastore.uid))
    digests = _digests(places) | {name: _digest(text.encode()) for name, text in texts.items()}
    write_atomic(_record(places), json.dumps(digests), mode=0o600)


def changed_by_hand(places: Places) -> list[Path]:
    """The files in ``conf`` that differ from what was rendered."""
    return [
        path
        for name, digest in _digests(places).items()
        if not (path := places.conf / name).is_file() or _digest(path.read_bytes()) != digest
    ]


def _record(places: Places) -> Path:
    """Record the digests of what was rendered, by name."""
    return places.root / "rendered.json"


def _digests(places: Places) -> dict[str, str]:
    """None for a datastore that was last started by a former version."""
    return {str(name): str(digest) for name, digest in (read_json(_record(places)) or {}).items()}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def locked(places: Places, argv: Iterable[str]) -> tuple[str, ...]:
    """A server's command line, all of whose processes hold the lock on its directory.

    They inherit it from the first one. So after a crash of that one, the next waits until the last
    of the former processes has ended: otherwise two servers would write to the same files, since
    the server's own check does not see processes in another IPC or PID namespace.
    """
    return ("/usr/bin/flock", "--no-fork", str(places.lock), *argv)


def remove(paths: Paths, datastore_id: int) -> None:
    """Delete its files; no error if there are none. Its server must not be running."""
    directories.remove(paths.datastores / str(datastore_id))
    directories.remove(paths.datastore_sockets / str(datastore_id))
