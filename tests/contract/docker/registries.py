"""Where the registries of tests are, and what the engine knows of them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Registries:
    """Where registries may be started that the engine knows; see tests/registry.py.

    mirror: of Docker Hub, without TLS. private: elsewhere, with the certificate and key `tls`,
    which the engine trusts; not on loopback, where BuildKit uses no TLS.
    """

    network: str
    home: Path
    mirror: tuple[str, int]
    private: tuple[str, int]
    tls: tuple[Path, Path]
