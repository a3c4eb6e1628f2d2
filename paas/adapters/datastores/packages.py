"""Installs the distribution's packages with the servers of datastores."""

import os
import shutil

from paas.adapters.system import subprocesses
from paas.domain.values.errors import PaasError

_APT = ("apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300")
_ENV = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "NEEDRESTART_SUSPEND": "1",
}
_LIMIT_S = 900.0


def need_apt(product: str) -> None:
    """Raises PaasError if this machine has no apt-get to install a product."""
    if shutil.which("apt-get") is None:
        raise PaasError(
            "datastore-not-installed",
            f"{product} is not installed on this machine, and there is no apt-get.",
            "Ask the server's operator to install it.",
        )


def update() -> None:
    """Update the package lists. Raises PaasError if apt fails."""
    _run("update")


def install(*names: str) -> None:
    """Install packages without recommended ones. Raises PaasError if apt fails.

    It fails if it would have to remove others, such as another database server.
    """
    _run("install", "--yes", "--no-remove", "--no-install-recommends", *names)


def has(name: str) -> bool:
    """Whether the distribution has a package of that name, as far as apt knows."""
    shown = subprocesses.run(
        ["apt-cache", "policy", name],
        description=f"apt-cache policy {name}",
        timeout_s=_LIMIT_S,
        env=_ENV,
    ).output
    return b"Candidate:" in shown and b"Candidate: (none)" not in shown


def _run(*words: str) -> None:
    subprocesses.run(
        [*_APT, *words],
        description=f"apt-get {words[0]}",
        timeout_s=_LIMIT_S,
        env={**_ENV, **_proxies()},
    )


def _proxies() -> dict[str, str]:
    """Where the machine's packages come from, if not directly."""
    names = ("http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in names if name in os.environ}
