"""Removing a server: what install.sh made, and with --purge the users' data."""

import os
import pwd
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from paas.entrypoints.installer import docker, ranges, slots
from paas.entrypoints.installer.nginx_connections import lowered
from paas.entrypoints.installer.packages import HOME
from paas.entrypoints.installer.plan import ACCOUNT, InstallError, Plan
from paas.entrypoints.installer.units import HAPROXY_MASK, NGINX_DROP_IN, UNIT

# Rendered by paas/adapters: proxy/nginx/http_conf.py and ssh/sshd_conf.py.
SYSTEM_FILES = (
    Path("/etc/nginx/conf.d/paas.conf"),
    Path("/etc/nginx/modules-enabled/90-paas.conf"),
    Path("/etc/ssh/sshd_config.d/paas.conf"),
)
MOUNT_POINT = Path("/app")
# How long the gate's commands may take to end before they are killed.
COMMANDS_LIMIT_S = 5.0
NGINX_CONF = Path("/etc/nginx/nginx.conf")
DEFAULT_SITE = Path("/etc/nginx/sites-enabled/default")


class Progress(Protocol):
    """Progress of the uninstallation."""

    def step(self, text: str) -> None: ...
    def detail(self, text: str) -> None: ...


def uninstall(plan: Plan, *, purge: bool, progress: Progress) -> None:
    """Stop the server and remove it; no error if there is none."""
    if plan.embedded and not _looks_like_ours(plan):
        raise InstallError(f"There is no server in {plan.root}: nothing was removed.")
    progress.step("Stopping the server")
    _stop(plan)
    docker.unmask(ranges.others(plan))
    progress.step("Removing its files")
    if not plan.embedded:
        _remove_system_files(plan)
    for path in (plan.opt, plan.run):
        _remove(path)
    plan.command.unlink(missing_ok=True)
    if not purge:
        progress.detail(
            f"Settings and data remain in {plan.etc} and {plan.state}; --purge removes them."
        )
        return
    for path in (plan.etc, plan.state):
        _remove(path)
    if plan.root:
        for path in (plan.command.parent, Path(plan.root)):
            with suppress(OSError):
                path.rmdir()
        slots.give_back(plan.root)
    _remove_account()


def _looks_like_ours(plan: Plan) -> bool:
    return plan.installed or plan.opt.is_dir() or plan.root in slots.taken().values()


def _stop(plan: Plan) -> None:
    python = plan.paths.current / "venv/bin/python"
    if python.exists() and plan.installed:
        boot = [str(python), "-I", "-m", "paas.entrypoints.boot", "--etc", str(plan.etc), "stop"]
        if subprocess.run(boot, check=False).returncode:
            raise InstallError("The server could not be stopped; nothing was removed.")
    _end_commands(plan)
    if not plan.embedded and UNIT.exists():
        subprocess.run(["systemctl", "disable", "--quiet", "--now", "paas"], check=False)
        UNIT.unlink()
        NGINX_DROP_IN.unlink(missing_ok=True)
        with suppress(OSError):  # it also has the machine's own settings of nginx
            NGINX_DROP_IN.parent.rmdir()
        subprocess.run(["systemctl", "daemon-reload"], check=False)
        _unmask_haproxy()


def _end_commands(plan: Plan) -> None:
    """End the gate's children: they outlive the gate, and would write to what is removed."""
    deadline = time.monotonic() + COMMANDS_LIMIT_S
    while pids := _commands(plan):
        for pid in pids if time.monotonic() > deadline else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _commands(plan: Plan) -> list[int]:
    """The processes of this server's gate, found by their command lines."""
    wanted = [b"paas.entrypoints.gate", b"--etc", os.fsencode(plan.etc)]
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            words = path.read_bytes().split(b"\0")
            if wanted == words[-4:-1]:
                found.append(int(path.parent.name))
    return found


def _unmask_haproxy() -> None:
    """Undo the installation by proxy:set; without a site, HAProxy does not start at boot."""
    if HAPROXY_MASK.is_symlink() and HAPROXY_MASK.readlink() == Path("/dev/null"):
        for verb in ("unmask", "disable"):
            argv = ["systemctl", verb, "--quiet", HAPROXY_MASK.name]
            subprocess.run(argv, capture_output=True, check=False)


def _remove_system_files(plan: Plan) -> None:
    for path in SYSTEM_FILES:
        path.unlink(missing_ok=True)
    with suppress(OSError, UnicodeDecodeError):
        text = NGINX_CONF.read_text()
        if lowered(text) != text:
            NGINX_CONF.write_text(lowered(text))
    if plan.paths.default_site_mark.exists():
        plan.paths.default_site_mark.unlink()
        with suppress(FileExistsError):
            DEFAULT_SITE.symlink_to("/etc/nginx/sites-available/default")
    if Path("/run/systemd/system").is_dir():
        for unit in ("nginx", "ssh"):
            subprocess.run(["systemctl", "try-reload-or-restart", unit], check=False)


def _remove(path: Path) -> None:
    # Not with shutil.rmtree: directories may be nested deeper than Python's recursion limit.
    subprocess.run(["rm", "-rf", "--", path], check=True)


def _remove_account() -> None:
    """Remove the account and the mount point of apps together with the last server."""
    if slots.taken() or Path("/etc/paas").exists():
        return
    with suppress(KeyError):
        pwd.getpwnam(ACCOUNT)
        subprocess.run(["userdel", ACCOUNT], capture_output=True, check=False)
    # Without its mount point, what a process has mounted there is gone for it.
    for path in (HOME,) if is_mounted(MOUNT_POINT) else (HOME, MOUNT_POINT):
        with suppress(OSError):
            path.rmdir()


def is_mounted(path: Path) -> bool:
    """Whether a process of any mount namespace has something mounted there (proc(5))."""
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        with suppress(OSError):  # it has ended
            if f" {path} " in table.read_text():
                return True
    return False
