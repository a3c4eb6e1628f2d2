"""The platform's own directories, sockets and files, with the owner and mode each must have."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.proxy.account import proxy_account
from paas.settings import Settings


@dataclass(frozen=True, slots=True)
class ExpectedPath:
    """A path that root owns. why: what does not work if it is not as it should be."""

    path: Path
    mode: int
    gid: int
    why: str = "the server may fail at its next start"

    def wrong(self) -> str | None:
        """What is wrong with it, after the path; None if nothing is."""
        try:
            found = self.path.lstat()
        except OSError as error:
            return f"cannot be read: {error.strerror}" if self.path.exists() else "is missing"
        if stat.S_ISLNK(found.st_mode):
            return "is a link"
        mode = stat.S_IMODE(found.st_mode)
        if (mode, found.st_uid, found.st_gid) == (self.mode, 0, self.gid):
            return None
        return (
            f"has mode {mode:04o} and owner {found.st_uid}:{found.st_gid}, "
            f"not {self.mode:04o} and 0:{self.gid}"
        )

    def mend(self) -> None:
        """Set its owner and mode; does nothing if it is a link or missing."""
        if not self.path.is_symlink() and self.path.exists():
            os.chown(self.path, 0, self.gid)
            self.path.chmod(self.mode)


def directories(settings: Settings) -> list[ExpectedPath]:
    """What the platform writes to."""
    gid = pwd.getpwnam(settings.account).pw_gid
    paths = settings.paths
    passed = (
        *(paths.slugs, paths.dependencies, paths.builds, paths.cache),
        *(paths.nginx, paths.haproxy),
    )
    sites = [paths.nginx_sites]
    if settings.proxy == "haproxy":
        sites.append(paths.haproxy_sites)
    web = paths.web_gate_socket.parent.parent
    return [
        *(
            ExpectedPath(path, mode, group, "git over HTTP does not work")
            for path, mode, group in (
                (web, 0o711, 0),
                (paths.web_gate_socket.parent, 0o710, settings.web_uid),
                (paths.rendezvous, 0o710, settings.web_uid),
                (paths.web_socket.parent, 0o710, proxy_account(settings).pw_gid),
            )
            if settings.web
        ),
        ExpectedPath(paths.etc, 0o755, 0),
        ExpectedPath(paths.state, 0o711, 0, "nothing of the apps can be reached"),
        ExpectedPath(paths.git, 0o750, gid, "nobody can push"),
        ExpectedPath(paths.logs, 0o711, 0, "nothing is logged"),
        ExpectedPath(paths.run, 0o750, gid, "nobody but root reaches the gate"),
        ExpectedPath(paths.locks, 0o711, 0, "nobody can push"),
        ExpectedPath(paths.pythons, 0o755, 0, "no Python that uv installed can be run"),
        *(ExpectedPath(path, 0o711, 0, "no app can be built or started") for path in passed),
        *(ExpectedPath(path, 0o700, 0, "no site can be changed") for path in sites),
        ExpectedPath(
            paths.haproxy_log_socket.parent,
            0o710,
            proxy_account(settings).pw_gid,
            "HAProxy cannot log",
        ),
        ExpectedPath(paths.programs, 0o700, 0, "no app can be started"),
        ExpectedPath(paths.drains, 0o700, 0, "no log can be forwarded"),
        ExpectedPath(paths.audit, 0o700, 0, "others may read or change who did what"),
        *(
            ExpectedPath(path, 0o700, 0, "no app can be started")
            for path in (paths.specs, paths.fifos, paths.crashes)
        ),
    ]


def sockets_and_files(settings: Settings, *, running: bool) -> list[ExpectedPath]:
    """What others use to reach the platform, and what only root may read."""
    gid = pwd.getpwnam(settings.account).pw_gid
    found = [
        ExpectedPath(settings.paths.database, 0o600, 0, "others may read or change the database"),
    ]
    if settings.paths.server_key.exists():  # else it is a fault of the store, which says more
        found.append(
            ExpectedPath(settings.paths.server_key, 0o600, 0, "others may open the secrets")
        )
    if running:
        found += [
            ExpectedPath(settings.paths.gate_socket, 0o660, gid, "no command and no push gets in"),
            ExpectedPath(
                settings.paths.supervisor_socket, 0o700, 0, "others may start and stop apps"
            ),
        ]
    if settings.embedded:
        found.append(
            ExpectedPath(settings.paths.ssh_host_key, 0o600, 0, "sshd refuses to start with it")
        )
    return found
