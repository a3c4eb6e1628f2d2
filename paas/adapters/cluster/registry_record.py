"""Where the registry for nodes listens, and its password: the file that says that there is one."""

import json
from dataclasses import dataclass
from ipaddress import IPv4Address

from paas.adapters.system.files import make_directory, read_json, remove, write_atomic
from paas.domain.values.secret import Secret
from paas.settings import Settings


@dataclass(frozen=True, slots=True)
class RegistryRecord:
    """What was decided when the registry began."""

    address: IPv4Address
    port: int
    password: Secret

    @property
    def host(self) -> str:
        """As in an image's name."""
        return f"{self.address}:{self.port:d}"


def has_registry(settings: Settings) -> bool:
    """Whether this server is to run a registry for nodes."""
    return settings.docker and settings.paths.registry_record.exists()


def read_record(settings: Settings) -> RegistryRecord | None:
    """None: there is no registry."""
    match read_json(settings.paths.registry_record):
        case {"address": str() as address, "port": int() as port, "password": str() as password}:
            return RegistryRecord(IPv4Address(address), port, Secret(password))
    return None


def write_record(settings: Settings, record: RegistryRecord) -> None:
    """Have a registry."""
    words = {
        "address": str(record.address),
        "port": record.port,
        "password": record.password.reveal(),
    }
    make_directory(settings.paths.cluster, mode=0o700)
    write_atomic(settings.paths.registry_record, json.dumps(words), mode=0o600)


def remove_record(settings: Settings) -> None:
    """Have none."""
    remove(settings.paths.registry_record)
