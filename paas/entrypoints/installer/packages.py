"""Debian packages and the account."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from paas.entrypoints.installer.plan import ACCOUNT, InstallError

# nginx and sshd are started by us or by systemd; util-linux has setpriv. certbot takes 9 s and
# 5 MB, now rather than at the first certs:auto on, which may be a user's and may not run apt.
PACKAGES = (
    "ca-certificates",
    "certbot",
    "curl",
    "git",
    "libseccomp2",
    "nftables",
    "nginx",
    "openssh-client",
    "openssh-server",
    "python3-venv",
    "util-linux",
)
HOME = Path("/var/lib/paas")


def missing() -> list[str]:
    """The packages that are not installed."""
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f=${db:Status-Status} ${Package}\n", *PACKAGES],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    there = {line.split()[1] for line in shown.splitlines() if line.startswith("installed ")}
    return [name for name in PACKAGES if name not in there]


def install_packages(names: list[str]) -> None:
    """Install packages with apt."""
    if shutil.which("apt-get") is None:
        raise InstallError(f"There is no apt-get to install these packages: {' '.join(names)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    options = ["-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300"]
    for argv in (
        ["apt-get", *options, "update"],
        ["apt-get", *options, "install", "--yes", "--no-install-recommends", *names],
    ):
        done = subprocess.run(
            argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            raise InstallError(
                f"{' '.join(argv[:1] + argv[len(options) + 1 :])} failed:\n{done.stdout[-3000:]}",
                "Correct what apt reports, then run install.sh again.",
            )


def ensure_account() -> bool:
    """Create the account that people push to; True if it did not exist.

    Its password is ``*``: no password matches, but sshd does not regard the account as locked
    (``!``), so keys work.
    """
    try:
        pwd.getpwnam(ACCOUNT)
        made = False
    except KeyError:
        made = True
        run(
            [
                *("useradd", "--system", "--user-group", "--home-dir", str(HOME)),
                *("--no-create-home", "--shell", "/bin/sh"),
                *("--comment", "git push and paas commands", ACCOUNT),
            ]
        )
    run(["usermod", "--password", "*", ACCOUNT])
    if not HOME.exists():
        HOME.mkdir(mode=0o711)
    return made


def run(argv: list[str]) -> str:
    """Run a command of the installation. Raises InstallError with its output."""
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise InstallError(f"{' '.join(argv)} failed:\n{done.stdout.strip()}")
    return done.stdout
