"""PostgreSQL's programs as Debian installs them, and installing them if they are missing."""

import re
from pathlib import Path

from paas.adapters.datastores import packages
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress

LIB = Path("/usr/lib/postgresql")
# postgresql-common reads it before it makes a server of its own, on port 5432.
_CONF = Path("/etc/postgresql-common/createcluster.d/paas.conf")
_NO_CLUSTER = "# paas makes a server for each datastore.\ncreate_main_cluster = false\n"


def versions(lib: Path = LIB) -> list[str]:
    """The major versions whose servers are installed, the newest last."""
    return _with(lib, "postgres")


def client_versions(lib: Path = LIB) -> list[str]:
    """The major versions whose clients are installed, the newest last."""
    return _with(lib, "pg_dump")


def _with(lib: Path, program: str) -> list[str]:
    found = (path.parent.parent.name for path in lib.glob(f"*/bin/{program}"))
    return sorted((name for name in found if re.fullmatch(r"[0-9]+", name)), key=int)


def binaries(version: str, lib: Path = LIB) -> Path:
    """The directory of a version's programs. Raises PaasError if they are not installed."""
    if version not in versions(lib):
        raise PaasError(
            "postgresql-missing",
            f"PostgreSQL {version} is not installed on this machine.",
            f"Install it: apt-get install --no-install-recommends postgresql-{version}",
        )
    return lib / version / "bin"


def ensure_installed(progress: Progress) -> str:
    """The newest installed version; installs the distribution's if there is none.

    Existing servers are left alone. Raises PaasError if apt fails.
    """
    if found := versions():
        return found[-1]
    packages.need_apt("PostgreSQL")
    progress.step("Installing PostgreSQL on this machine")
    _prevent_main_cluster()
    packages.update()
    packages.install("postgresql")
    found = versions()
    if not found:
        raise PaasError(
            "postgresql-missing",
            f"The package postgresql has installed no server in {LIB}.",
            "See what it installed: dpkg -L postgresql",
        )
    return found[-1]


def install_archiver(progress: Progress) -> None:
    """Install pgBackRest. Raises PaasError if apt fails."""
    packages.need_apt("pgBackRest")
    progress.step("Installing pgBackRest on this machine")
    _prevent_main_cluster()
    packages.update()
    packages.install("pgbackrest")


def _prevent_main_cluster() -> None:
    """Keep the package from creating and starting a server, unless it was already configured."""
    if _CONF.parent.parent.joinpath("createcluster.conf").exists():
        return  # postgresql-common is there, and what it does was decided
    _CONF.parent.mkdir(parents=True, exist_ok=True)
    _CONF.write_text(_NO_CLUSTER)
