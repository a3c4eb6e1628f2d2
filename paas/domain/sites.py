"""What the proxy knows of an app: its hosts and where its instances listen."""

from dataclasses import dataclass
from pathlib import Path

from paas.domain.buildpacks import StaticFiles


@dataclass(frozen=True, slots=True)
class Folder:
    """Files that the proxy serves itself. slug: the directory that no link may lead out of."""

    slug: Path
    files: StaticFiles


@dataclass(frozen=True, slots=True)
class Site:
    """One app's entry at the proxy. hosts: DNS names; ports: of its web instances on loopback.

    closed: every request is answered with 503 and the page, or a default one.
    No ports: the hosts answer with the folder's files, or 503 where there is none.
    """

    app_id: int
    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    folder: Folder | None = None
    closed: bool = False
    page: Path | None = None
