"""The directories and the certificate of a PostgreSQL datastore, with or without data."""

from pathlib import Path

from paas.adapters.datastores import places
from paas.adapters.datastores.tls import self_signed
from paas.adapters.system import directories
from paas.adapters.system.files import make_directory, sync_file_system, write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.paths import Paths


def make(paths: Paths, datastore: Datastore) -> places.Places:
    """Everything without data, replacing what an interrupted attempt left."""
    made = places.make(paths, datastore)
    _certify(made, datastore)
    return made


def make_root(paths: Paths, datastore: Datastore) -> None:
    """Only the directory of all its files; existing content stays."""
    make_directory(paths.datastores, mode=0o711)
    make_directory(places.places_of(paths, datastore).root, mode=0o710, owner=(0, datastore.uid))


def adopt(paths: Paths, datastore: Datastore, data: Path) -> None:
    """Everything, with data that were created beside it and belong to its uid."""
    found, owner = places.places_of(paths, datastore), (datastore.uid, datastore.uid)
    for path in (found.log, found.tls):
        make_directory(path, owner=owner)
    _certify(found, datastore)
    directories.remove(found.data)
    data.rename(found.data)
    sync_file_system(found.root)


def _certify(made: places.Places, datastore: Datastore) -> None:
    owner = (datastore.uid, datastore.uid)
    certificate, key = self_signed(datastore.host)
    write_atomic(made.tls / "server.crt", certificate, mode=0o600, owner=owner)
    write_atomic(made.tls / "server.key", key, mode=0o600, owner=owner)
