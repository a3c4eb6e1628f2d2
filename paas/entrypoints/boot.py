"""``python -m paas.entrypoints.boot --etc ETC [ACTION]``: start or stop the server.

``boot --etc ETC`` (systemd's ExecStart) prepares and becomes supervisord; ``boot --etc ETC start``
does so in the background and returns when all of it answers; ``stop`` ends everything, apps
included. supervisord's programs become nginx, sshd and others by it. systemd's units name this
file, so it stays where it is.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from paas.adapters.system.disk_faults import disk_fault
from paas.domain.values.errors import PaasError
from paas.settings import Settings, load

DAEMONS = ("nginx", "haproxy", "sshd", "containerd", "dockerd", "swarm", "registry")
COMMANDS = ("start", "stop", "stop-runs", "close-networks", "free-tcp-ports", "status")


def main(argv: list[str] | None = None) -> int:
    """The command line: ``--etc ETC [run|start|stop|status]``."""
    parser = argparse.ArgumentParser(prog="boot", description=__doc__)
    parser.add_argument("--etc", type=Path, required=True)
    parser.add_argument("action", nargs="?", choices=("run", *COMMANDS, *DAEMONS), default="run")
    arguments = parser.parse_args(argv)
    try:
        if os.geteuid() != 0:
            raise PaasError("not-root", "Only root may do this.", "Run it with sudo.")
        return _action(arguments.action)(load(arguments.etc / "server.yml"))
    except PaasError as error:
        print(f" !     {error.report}", file=sys.stderr)
        if error.hint:
            print(f" !     {error.hint}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        fault = disk_fault(error)
        if fault is None:
            raise
        print(f" !     {fault.report}\n !     {fault.hint}", file=sys.stderr)
        return fault.exit_code


def _action(name: str) -> Callable[[Settings], int]:
    """What to do; imports only what that needs: a daemon that has crashed is missed meanwhile."""
    if name in DAEMONS:
        from paas.entrypoints.daemons import programs

        return programs.PROGRAMS[name]
    if name in COMMANDS:
        from paas.entrypoints.daemons import boot

        return boot.ACTIONS[name]
    from paas.entrypoints.daemons.supervision import run

    return run


if __name__ == "__main__":
    sys.exit(main())
