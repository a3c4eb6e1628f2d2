"""That the server's own engine knows the CA of the registry for nodes, to which it pushes.

dockerd reads this whenever it connects: https://docs.docker.com/engine/security/certificates/
"""

import shutil
from pathlib import Path

from paas.adapters.cluster.registry_certificates import certificate_of
from paas.adapters.cluster.registry_record import read_record
from paas.adapters.system.files import make_directory, write_atomic
from paas.settings import Settings

# Of all engines of the machine, by ADDRESS:PORT; others' entries stay as they are.
ENGINE_CAS = Path("/etc/docker/certs.d")


def tell_engine(settings: Settings, cas: Path = ENGINE_CAS) -> None:
    """Have the machine's engines trust it; does nothing without a registry."""
    record = read_record(settings)
    if record is not None:
        folder = cas / record.host
        make_directory(cas, mode=0o755)
        make_directory(folder, mode=0o755)
        authority = certificate_of(settings.paths.registry_authority.read_bytes())
        write_atomic(folder / "ca.crt", authority, mode=0o644)


def untell_engine(settings: Settings, cas: Path = ENGINE_CAS) -> None:
    """Take that away, while the server is stopped or for good."""
    record = read_record(settings)
    if record is not None:
        shutil.rmtree(cas / record.host, ignore_errors=True)
