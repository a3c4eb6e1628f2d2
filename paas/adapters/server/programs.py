"""The programs and libraries that the platform calls, and its own installed version."""

import os
from collections.abc import Iterator
from pathlib import Path

from paas.adapters.runtime.native import syscall_filter
from paas.domain.server.findings import Finding
from paas.settings import Settings

# By path: the Debian package that has it, and what does not work without it.
NEEDED = {
    "/usr/bin/python3": ("python3", "no app can be started"),
    "/usr/bin/git": ("git", "nobody can push"),
    "/usr/sbin/sshd": ("openssh-server", "nobody gets in"),
    "/usr/bin/ssh-keygen": ("openssh-client", "no key can be added"),
    "/usr/sbin/nginx": ("nginx", "nothing is served"),
    "/usr/sbin/nft": ("nftables", "the apps' ports are open to every local user"),
    "/usr/bin/setpriv": ("util-linux", "no build can be run"),
}
DOCKER = {
    "/usr/sbin/dockerd": ("docker.io", "no container can be started"),
    "/usr/bin/containerd": ("containerd", "no container can be started"),
}
HAPROXY = {"/usr/sbin/haproxy": ("haproxy", "nothing is served")}


def program_findings(settings: Settings) -> Iterator[Finding]:
    """Those that are missing or cannot be run."""
    needed = NEEDED | (HAPROXY if settings.proxy == "haproxy" else {})
    needed |= DOCKER if settings.docker else {}
    for path, (package, without) in needed.items():
        if not os.access(path, os.X_OK):
            yield Finding(
                check="program",
                message=f"{path} is missing: {without}.",
                command=f"apt-get install --reinstall {package}",
            )
    if (lack := syscall_filter.lack()) is not None:
        yield Finding(
            check="syscalls",
            message=f"{lack} Apps and builds can make every system call that the kernel has.",
            command="apt-get install --reinstall libseccomp2",
            grave=False,
        )
    for own, without in _own(settings):
        if not os.access(own, os.X_OK):
            yield Finding(
                check="program",
                message=f"{own} is missing: {without}.",
                command="Run the install.sh of this version again.",
            )


def _own(settings: Settings) -> list[tuple[Path, str]]:
    venv = settings.paths.current / "venv" / "bin"
    return [
        (venv / "python", "no command works, and supervisord cannot be started again"),
        (venv / "uv", "no Python app can be built"),
        (settings.paths.current / "paas" / "entrypoints", "no app can be started"),
    ]
