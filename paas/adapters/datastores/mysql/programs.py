"""MariaDB's programs as Debian installs them, and installing them if they are missing.

Only the packages of the programs are used: mariadb-server would create and start a server of its
own, with an account and a service. Where MySQL is installed, apt would have to remove it, so it
does not install them.
"""

import re
from pathlib import Path

from paas.adapters.datastores import packages
from paas.adapters.system import subprocesses
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress

PACKAGES = ("mariadb-server-core", "mariadb-client")
SERVER = Path("/usr/sbin/mariadbd")
INSTALL = Path("/usr/bin/mariadb-install-db")
CLIENT = Path("/usr/bin/mariadb")
UPGRADE = Path("/usr/bin/mariadb-upgrade")
DUMP = Path("/usr/bin/mariadb-dump")
# Of the dump: all at one moment, without locking anybody out.
DUMP_OPTIONS = (
    *("--default-character-set=utf8mb4", "--single-transaction", "--routines", "--triggers"),
    *("--events", "--hex-blob", "--no-tablespaces", "--max-allowed-packet=64M"),
)
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
_LIMIT_S = 10.0


def installed() -> str | None:
    """The version, such as ``10.11``; None if a program is missing. Raises PaasError."""
    if not all(one.exists() for one in (SERVER, INSTALL, CLIENT, DUMP)):
        return None
    said = subprocesses.run(
        [SERVER, "--no-defaults", "--version"],
        description="mariadbd --version",
        timeout_s=_LIMIT_S,
        env=ENV,
    ).output.decode("utf-8", "replace")
    return version_in(said)


def version_in(said: str) -> str:
    """The version in a server's output, ``mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for ...``."""
    match = re.search(r"Ver (\d+\.\d+)\.\d+-MariaDB", said)
    if match is None:
        raise PaasError(
            "mariadb-missing",
            f"{SERVER} is not MariaDB, or does not report its version: {said.strip()[:100]}",
            f"Install MariaDB: apt-get install --no-install-recommends {' '.join(PACKAGES)}",
        )
    return match[1]


def require(version: str) -> None:
    """Raises PaasError unless the installed version is that one or later, and can use its files."""
    found = installed()
    if found is None:
        raise PaasError(
            "mariadb-missing",
            f"MariaDB {version} is not installed on this machine.",
            f"Install it: apt-get install --no-install-recommends {' '.join(PACKAGES)}",
        )
    if _numbers(found) < _numbers(version):
        raise PaasError(
            "mariadb-missing",
            f"MariaDB {found} is installed, but cannot use files of version {version}.",
            f"Install MariaDB {version} or later.",
        )


def ensure_installed(progress: Progress) -> str:
    """The installed version; installs the distribution's if there is none.

    Existing servers are left alone. Raises PaasError if apt fails.
    """
    if (found := installed()) is not None:
        return found
    packages.need_apt("MariaDB")
    progress.step("Installing MariaDB on this machine")
    packages.update()
    packages.install(*PACKAGES)
    found = installed()
    if found is None:
        raise PaasError(
            "mariadb-missing",
            f"The packages {' and '.join(PACKAGES)} do not contain {SERVER} and its tools.",
            f"See what they installed: dpkg -L {' '.join(PACKAGES)}",
        )
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
