"""The plan of an installation: its directories, and the options of the command line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paas.paths import Paths

SUPPORTED = "Debian 12, Debian 13 and Ubuntu 24.04"
ACCOUNT = "paas"
SYSTEM_PYTHON = Path("/usr/bin/python3")


class InstallError(Exception):
    """Why the installation cannot continue. hint: what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Plan:
    """One server to install. root: its directory, or None for the system install.

    options: settings given on the command line, by their names in server.yml.
    defaults: for this server, unless an option or server.yml says otherwise.
    machine: settings for builds that this machine needs.
    """

    source: str
    root: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def embedded(self) -> bool:
        """Whether the server lives in a directory of its own."""
        return self.root is not None

    def _under(self, name: str, system: str) -> Path:
        return Path(self.root) / name if self.root else Path(system)

    @property
    def etc(self) -> Path:
        """The directory of the settings."""
        return self._under("etc", "/etc/paas")

    @property
    def state(self) -> Path:
        """The directory of the data."""
        return self._under("var", "/var/lib/paas")

    @property
    def run(self) -> Path:
        """The directory of the sockets."""
        return self._under("run", "/run/paas")

    @property
    def opt(self) -> Path:
        """The directory of the code."""
        return self._under("opt", "/opt/paas")

    @property
    def paths(self) -> Paths:
        """The paths of the server's files."""
        return Paths(self.etc, self.state, self.run, self.opt)

    @property
    def command(self) -> Path:
        """The ``paas`` command of this server."""
        return self._under("bin/paas", "/usr/local/bin/paas")

    @property
    def installed(self) -> bool:
        """Whether an installation has written its settings."""
        return self.paths.server_yml.exists()

    def to_json(self) -> str:
        """For the second half of the installation, which runs in the new venv."""
        names = ("source", "root", "quiet")
        plain = {name: getattr(self, name) for name in names}
        mappings = {"options": self.options, "machine": self.machine, "defaults": self.defaults}
        return json.dumps({**plain, **mappings})

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """The reverse of to_json."""
        return cls(**json.loads(text))
