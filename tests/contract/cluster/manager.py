"""The manager of nodes as a test runs it, in place of a server's supervisord."""

import os
import subprocess

from paas.adapters.cluster.manager_ports import close_ports
from paas.adapters.cluster.manager_program import manager_argv
from paas.settings import Settings


class ManagerProcess:
    """Its dockerd, which ends with the test."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child: subprocess.Popen[bytes] | None = None

    def keep(self, wanted: bool) -> None:
        """Run it, or not; nothing if it is so."""
        if wanted and self._child is None:
            close_ports(self._settings)
            argv = ["/usr/bin/setpriv", "--pdeathsig", "KILL", *manager_argv(self._settings)]
            with (self._settings.paths.logs / "swarm.log").open("ab") as log:
                self._child = subprocess.Popen(
                    argv, env={"PATH": os.environ["PATH"]}, stdout=log, stderr=log
                )
        elif not wanted and self._child is not None:
            self._child.terminate()
            self._child.wait(150)
            self._child = None

    def restart(self) -> None:
        """As supervisord does with one that was killed."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()
        self._child = None
        self.keep(True)
