"""The programs of Redis or Valkey as the distribution installs them, and installing them.

Debian and Ubuntu ship the server's own program in the package of the tools, as ``redis-check-rdb``;
the package ``redis-server`` adds a link to it, an account and a service on port 6379, which is
started and enabled. So only the tools are installed: no service can start, now or later. The
program acts as the server if it is started by a name other than that of the tool.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.datastores import packages
from paas.adapters.system import subprocesses
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress

BIN = Path("/usr/bin")
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
_LIMIT_S = 10.0
# The first one with access rights for subcommands, and with an append-only file of several parts.
_OLDEST = (7, 0)


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of one product. word: ``redis`` or ``valkey``. folder: where they are."""

    word: str
    folder: Path = BIN

    @property
    def package(self) -> str:
        """The distribution's package with them."""
        return f"{self.word}-tools"

    @property
    def cli(self) -> Path:
        """The client."""
        return self.folder / f"{self.word}-cli"

    @property
    def check(self) -> Path:
        """The tool that checks a dump, and is the server under another name."""
        return self.folder / f"{self.word}-check-rdb"

    @property
    def server_name(self) -> str:
        """The name by which the server has to be started."""
        return f"{self.word}-server"

    @property
    def server(self) -> Path:
        """The server's program, to be started as ``server_name``."""
        installed = self.folder / self.server_name
        return installed if installed.exists() else self.check


def present(folder: Path = BIN) -> Programs | None:
    """The installed programs; Redis takes precedence over Valkey."""
    for word in ("redis", "valkey"):
        found = Programs(word, folder)
        if found.cli.exists() and found.check.exists():
            return found
    return None


def needed() -> Programs:
    """The installed programs. Raises PaasError if there are none."""
    found = present()
    if found is None:
        raise PaasError(
            "redis-missing",
            "Neither Redis nor Valkey is installed on this machine.",
            "Install it: apt-get install --no-install-recommends redis-tools, or valkey-tools",
        )
    return found


def version(found: Programs) -> str:
    """``7.0``, from the client, which comes with the server. Raises PaasError."""
    said = subprocesses.run(
        [found.cli, "--version"],
        description=f"{found.cli.name} --version",
        timeout_s=_LIMIT_S,
        env=_ENV,
    ).output.decode("utf-8", "replace")
    return version_in(said)


def version_in(said: str) -> str:
    """From the client's output, ``redis-cli 7.0.15``. Raises PaasError if it is too old."""
    match = re.search(r" (\d+)\.(\d+)\.", said)
    if match is None or (int(match[1]), int(match[2])) < _OLDEST:
        raise PaasError(
            "redis-old",
            f"Datastores need Redis {_OLDEST[0]}.{_OLDEST[1]} or later, and this machine has: "
            f"{said.strip()[:100]}",
            "Install a later one, or upgrade the machine's distribution.",
        )
    return f"{match[1]}.{match[2]}"


def ensure_installed(progress: Progress) -> str:
    """The installed version; installs the distribution's if there is none.

    Existing servers are left alone. Raises PaasError if apt fails.
    """
    if (found := present()) is not None:
        return version(found)
    packages.need_apt("Redis")
    progress.step("Installing Redis on this machine")
    packages.update()
    chosen = next(
        (word for word in ("redis", "valkey") if packages.has(Programs(word).package)), "redis"
    )
    packages.install(Programs(chosen).package)
    return version(needed())
