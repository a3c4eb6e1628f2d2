"""Debian packages and the account."""

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

from paas.entrypoints.installer.plan import ACCOUNT, InstallError

# nginx and sshd are started by us or by systemd; util-linux has setpriv. certbot takes 9 s and
# 5 MB, now rather than at the first certs:auto on, which may be a user's and may not run apt.
PACKAGES = (
    "ca-certificates",
    "certbot",
    "curl",
    "git",
    "iproute2",
    "libseccomp2",
    "nftables",
    "nginx",
    "openssh-client",
    "openssh-server",
    "python3-venv",
    "util-linux",
)
HOME = Path("/var/lib/paas")
# While another program changes the accounts: for half a minute.
LOCKED_TRIES = 60
LOCKED_AGAIN_S = 0.5


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


def ensure_account() -> None:
    """Create the account that people push to, unless it is there.

    Its password is ``*``: no password matches, but sshd does not regard the account as locked
    (``!``), so keys work.
    """
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        _change_accounts(
            [
                *("useradd", "--system", "--user-group", "--home-dir", str(HOME)),
                *("--no-create-home", "--shell", "/bin/sh", "--password", "*"),
                *("--comment", "git push and paas commands", ACCOUNT),
            ]
        )
    # Another installation's useradd writes /etc/passwd first: usermod waits until it has ended.
    shadow = _run(["getent", "shadow", ACCOUNT])
    if shadow.returncode or shadow.stdout.split(":")[1] != "*":
        _change_accounts(["usermod", "--password", "*", ACCOUNT])
    HOME.mkdir(mode=0o711, exist_ok=True)


def _change_accounts(argv: list[str]) -> None:
    """Run a program that changes /etc/passwd, again if another one keeps it locked.

    useradd(8) and usermod(8) give up immediately then. An account that another installation has
    created meanwhile (9) is as good. Raises InstallError with the program's output.
    """
    for _ in range(LOCKED_TRIES):
        done = _run(["env", "LC_ALL=C", *argv])
        if done.returncode in (0, 9):
            return
        if "cannot lock" not in done.stdout:
            break
        time.sleep(LOCKED_AGAIN_S)
    raise _failed(argv, done.stdout)


def run(argv: list[str]) -> str:
    """Run a command of the installation. Raises InstallError with its output."""
    done = _run(argv)
    if done.returncode:
        raise _failed(argv, done.stdout)
    return done.stdout


def _run(argv: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def _failed(argv: list[str], output: str) -> InstallError:
    return InstallError(f"{' '.join(argv)} failed:\n{output.strip()}")
