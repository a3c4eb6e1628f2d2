"""Debian's Docker packages, whose own services must not run a second engine beside ours."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from paas.entrypoints.installer.packages import install_packages, run
from paas.entrypoints.installer.units import UNIT

# iptables: dockerd looks for it, though it makes no rules; debootstrap makes the image on which
# slugs run in containers; nodes pull images from docker-registry.
DOCKER_PACKAGES = ("docker.io", "containerd", "iptables", "debootstrap", "docker-registry")
UNITS = ("docker.service", "docker.socket", "containerd.service", "docker-registry.service")
# Those that were masked here. It belongs to the machine, whose servers share the packages.
MASKED = Path("/var/lib/paas-masked-units")
_UNIT_FOLDERS = (UNIT.parent, Path("/lib/systemd/system"), Path("/usr/lib/systemd/system"))
_POLICY = Path("/usr/sbin/policy-rc.d")
_NO_SERVICES = "#!/bin/sh\n# Left by an installation of paas that was interrupted.\nexit 101\n"


def has_docker() -> bool:
    """Whether the programs of a Docker engine, and the registry of its nodes, are installed."""
    programs = ("/usr/sbin/dockerd", "/usr/bin/containerd", "/usr/bin/docker-registry")
    return all(Path(program).exists() for program in programs)


def install_docker() -> None:
    """Install Docker without starting Debian's services: the engine runs under our supervisord."""
    if Path("/run/systemd/system").is_dir():
        mask(UNITS)
    added = not _POLICY.exists()
    if added:
        _POLICY.write_text(_NO_SERVICES)
        _POLICY.chmod(0o755)
    try:
        install_packages(list(DOCKER_PACKAGES))
    finally:
        if added:
            _POLICY.unlink(missing_ok=True)


def mask(
    units: Iterable[str], record: Path = MASKED, folders: Iterable[Path] = _UNIT_FOLDERS
) -> None:
    """Mask those that the machine does not have yet, and note them before.

    What it has is somebody's own, and stays as it is. Raises InstallError if systemd cannot.
    """
    new = [unit for unit in units if not any(_is_there(folder / unit) for folder in folders)]
    if new:
        noted = record.read_text().split() if record.exists() else []
        record.write_text("".join(f"{unit}\n" for unit in dict.fromkeys([*noted, *new])))
        run(["systemctl", "mask", "--quiet", *new])


def unmask(others: Iterable[Path], record: Path = MASKED) -> None:
    """Undo `mask` with the last server that has Docker; nothing starts at boot that did not before.

    others: the directories of settings of the machine's other servers.
    """
    if not record.exists() or any(_wants_docker(etc) for etc in others):
        return
    for unit in record.read_text().split():
        for verb in ("unmask", "disable"):
            argv = ["systemctl", verb, "--quiet", unit]
            subprocess.run(argv, capture_output=True, check=False)
    record.unlink()


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _wants_docker(etc: Path) -> bool:
    try:
        text = (etc / "server.yml").read_text()
    except OSError:
        return False
    return re.search(r"^docker:\s*true\b", text, re.MULTILINE) is not None
