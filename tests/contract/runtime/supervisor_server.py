"""A real supervisord in a temporary directory, with the platform's plugin and the real launcher."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.runtime import NativeRuntime
from paas.adapters.supervisor.client import Supervisor
from paas.adapters.supervisor.conf import Program, main_conf, supervisord_argv
from paas.adapters.system.files import make_directory, write_atomic
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.contract.cgroups import PREPARE, remove_cgroups

REPOSITORY = Path(__file__).resolve().parents[3]
START_LIMIT_S = 150.0


class SupervisorServer:
    """supervisord and what a runtime needs around it."""

    def __init__(
        self, root: Path, programs: Sequence[Program] = (), stop_limit_s: float = 30.0
    ) -> None:
        self._programs = programs
        self.settings = Settings(
            etc=root / "etc",
            state=root / "var",
            run=root / "run",
            opt=root / "opt",
            embedded=True,
            scratch_mib=16,
            stop_limit_s=stop_limit_s,
        )
        for path in (self.settings.etc, self.settings.paths.programs, self.settings.state / "logs"):
            make_directory(path, mode=0o711)
        make_directory(self.settings.run)
        make_directory(self.settings.paths.current, mode=0o755)
        (self.settings.paths.current / "paas").symlink_to(REPOSITORY / "paas")
        (self.settings.paths.current / "venv").symlink_to(sys.prefix)
        self.supervisor = Supervisor(self.settings.paths.supervisor_socket)
        self.cgroups = Cgroups(self.settings)
        self.runtime = NativeRuntime(self.settings, self.supervisor, self.cgroups)
        self.child: subprocess.Popen[bytes] | None = None
        self.errors: IO[bytes] | None = None

    def start(self) -> None:
        """Start supervisord and wait until it answers."""
        conf = self.settings.etc / "supervisord.conf"
        write_atomic(conf, main_conf(self.settings, self._programs))
        # What boot does, in a process of its own, since it moves itself to another cgroup.
        code = f"{PREPARE}; import os; os.execv(sys.argv[2], sys.argv[2:])"
        argv = supervisord_argv(self.settings, conf, foreground=True)
        self.child = subprocess.Popen(
            [sys.executable, "-c", code, str(self.settings.run), *argv],
            env={"PATH": os.environ["PATH"], "SECRET_OF_THE_SERVER": "%(x)s"},
            stderr=self.errors,
        )
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                self.supervisor.groups()
            except PaasError:
                assert self.child.poll() is None, self.log()
                assert time.monotonic() < deadline, "supervisord did not start"
                time.sleep(0.01)
            else:
                return

    def log(self) -> str:
        """What supervisord says."""
        return (self.settings.state / "logs" / "supervisord.log").read_text()

    def stop(self) -> None:
        """End supervisord and everything under it."""
        assert self.child is not None
        self.child.terminate()
        self.child.wait(250)

    def kill(self) -> None:
        """End supervisord the hard way."""
        assert self.child is not None
        self.child.kill()
        self.child.wait(150)


@contextmanager
def running_supervisor(
    root: Path | None = None, programs: Sequence[Program] = (), stop_limit_s: float = 30.0
) -> Iterator[SupervisorServer]:
    """A started server, and nothing of it left afterwards. root: where it is to be.

    programs: what supervisord has beside the apps. stop_limit_s: what an app has to end.

    In a root that is given its last words go to a file of that root, as a daemon's do.
    """
    with tempfile.TemporaryDirectory(prefix="paas-") as name, ExitStack() as opened:
        Path(name).chmod(0o755)
        server = SupervisorServer(root or Path(name), programs, stop_limit_s)
        if root is not None:
            server.errors = opened.enter_context((root / "boot.log").open("wb"))
        server.start()
        try:
            yield server
        finally:
            if server.child is not None and server.child.poll() is None:
                server.stop()
            for cgroup in server.cgroups.names():
                server.cgroups.remove(cgroup)
            remove_cgroups(server.cgroups)
