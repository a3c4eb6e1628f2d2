"""HAProxy's program on this server: its package, and the process that supervisord keeps."""

import os
from pathlib import Path

from paas.adapters.proxy.haproxy.conf import HAPROXY
from paas.adapters.server import daemons
from paas.adapters.server.daemon_programs import environment, systemd_is_init
from paas.adapters.supervisor.client import Supervisor
from paas.adapters.system.subprocesses import run
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress
from paas.settings import Settings

PACKAGE = "haproxy"
INSTALL_LIMIT_S = 600.0
_APT = ("apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300")


class HaproxyProgram:
    """`Program` of proxy_switch; must run as root."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def install(self, progress: Progress) -> None:
        """Install Debian's package if it is missing, without its service."""
        if Path(HAPROXY).exists():
            return
        progress.step(f"Installing the package {PACKAGE}")
        if systemd_is_init():
            # It would use its own configuration; ours runs under supervisord.
            _run(["systemctl", "mask", "--quiet", "haproxy.service"], "Masking its service")
        _run([*_APT, "update"], "Asking for the packages there are")
        _run(
            [*_APT, "install", "--yes", "--no-install-recommends", PACKAGE],
            f"Installing the package {PACKAGE}",
        )
        init_script = Path("/etc/init.d/haproxy")
        if not systemd_is_init() and init_script.exists():
            _run([str(init_script), "stop"], "Stopping the package's service", check=False)

    def keep(self, *, running: bool) -> None:
        """Have supervisord run it, or not; a server of before it knows of it from now on."""
        supervisor = Supervisor(self._settings.paths.supervisor_socket)
        if not supervisor.processes([PACKAGE]):
            if not running:
                return
            daemons.write_supervisord_conf(self._settings)
            supervisor.renew_programs([PACKAGE])
        supervisor.keep_program(PACKAGE, wanted=running)


def _run(argv: list[str], description: str, *, check: bool = True) -> None:
    env = {**environment(), "DEBIAN_FRONTEND": "noninteractive"}
    # apt may need the machine's proxy.
    env |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    try:
        run(argv, description=description, timeout_s=INSTALL_LIMIT_S, env=env, check=check)
    except PaasError as error:
        raise PaasError(
            "proxy-not-installed",
            f"HAProxy is not installed, and could not be: {error.message}",
            f"Install it on the server: sudo apt-get install {PACKAGE}",
        ) from error
