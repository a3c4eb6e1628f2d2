"""PgBouncer's program as Debian installs it, and installing it if it is missing."""

from pathlib import Path

from paas.adapters.datastores import packages
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress

PROGRAM = Path("/usr/sbin/pgbouncer")
# The package's own service, on port 6432. Where there is no systemd, none is started.
_UNIT = Path("/etc/systemd/system/pgbouncer.service")
_MASKED = Path("/dev/null")


def is_installed() -> bool:
    """Whether the program is there."""
    return PROGRAM.exists()


def ensure_installed(progress: Progress) -> None:
    """Install the distribution's, if it is missing. Raises PaasError if apt fails."""
    if is_installed():
        return
    packages.need_apt("PgBouncer")
    progress.step("Installing PgBouncer on this machine")
    mask()
    packages.update()
    packages.install("pgbouncer")
    if not is_installed():
        raise PaasError(
            "pgbouncer-missing",
            f"The package pgbouncer does not contain {PROGRAM}.",
            "See what it installed: dpkg -L pgbouncer",
        )


def mask(unit: Path = _UNIT) -> None:
    """Keep the package from starting a service, now and at each boot, as systemctl mask does.

    A file that somebody has put there takes precedence.
    """
    if not unit.exists() and not unit.is_symlink():
        unit.parent.mkdir(parents=True, exist_ok=True)
        unit.symlink_to(_MASKED)
