"""Where the files of a connection pooler are, and what its process sees of them."""

from dataclasses import dataclass
from pathlib import Path

from paas.adapters.datastores.places import Places
from paas.domain.releases.launch_spec import Bind


@dataclass(frozen=True, slots=True)
class PoolerPlaces:
    """In the datastore's directory. server: where its server's files are."""

    server: Places

    @property
    def root(self) -> Path:
        """All of the pooler's own files."""
        return self.server.root / "pooler"

    @property
    def conf(self) -> Path:
        """What the platform renders, read-only for the process."""
        return self.root / "conf"

    @property
    def log(self) -> Path:
        """The log of the process."""
        return self.root / "log"

    @property
    def binds(self) -> tuple[Bind, ...]:
        """What the process sees of the platform's directories: nothing of the server's data."""
        read = (self.conf, self.server.tls)
        return (
            Bind(str(self.log), str(self.log), writable=True),
            *(Bind(str(path), str(path)) for path in read),
        )
