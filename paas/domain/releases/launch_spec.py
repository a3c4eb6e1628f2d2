"""The launch spec: everything that a process needs to start, as one JSON object.

The runtime and the build sandbox write it, ``paas-launch`` (paas/entrypoints/launch.py) reads it.
The file is root-only: it holds the config vars.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.values.secret import Secret

# If the whole machine runs out of memory, one-off processes are killed first, then instances; the
# processes that make the machine reachable and serve requests stay.
OOM_INSTANCE, OOM_ONCE = 200, 400


@dataclass(frozen=True, slots=True)
class Bind:
    """A host path shown to the process at another path."""

    source: str
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Changeable:
    """A directory that the process sees at target and can change, while it stays as it is.

    What changes goes to ``upper`` in room, in the form of overlayfs. Where the kernel refuses that,
    there is no target.
    """

    lower: str
    room: str
    target: str


@dataclass(frozen=True, slots=True)
class Cgroup:
    """A cgroup directory to make, limit and join. limits: file name to value (``pids.max``)."""

    path: str
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Keeper:
    """The Unix socket of the monitor process, and the name that it knows the process by."""

    socket: str
    name: str


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """How to start one process.

    label: for messages, ``web.1``. argv and env: what is executed, complete.
    uid: also the gid. slug: host path of /app, read-only under a throw-away layer, or, where
    writable_slug is set (a build), the very directory, writable; None: /app is an empty directory.
    binds: host paths shown elsewhere, after hiding. hide: host directories that look empty.
    scratch_mib: size of the in-memory layer for /app, /tmp, /var/tmp and /dev/shm.
    limits: resource limits by lower-case name without RLIMIT_ (``nofile``), soft = hard.
    cgroups: joined before anything else. log_fifo: takes stdout and stderr, or None to keep those
    of the caller. app_log and tag: the app's log file and ``web.1``, for the launcher's own lines.
    crash_file: where the times of past starts are kept for the backoff, or None for none.
    terminal: whether it gets its own terminal, whose other end the launcher hands to its
    caller over standard input, a Unix socket. keeper: the process that checks what it wrote below
    /app when it has ended. separate: whether it gets its own PID namespace, with the launcher
    waiting outside: for everything that is not supervised. syscall_filter: the file with the
    compiled seccomp filter; None where the machine cannot filter system calls. ports: the TCP ports
    that it listens on, for the firewall. network: the file that pins its network namespace; None:
    it has the machine's own network. address: where the host reaches its ports. resolv_conf:
    its /etc/resolv.conf; None: the machine's. hosts: more addresses and names for its /etc/hosts.
    oom_score_adj: how much sooner than others the kernel kills it when the machine has no memory
    left (proc(5)). dependencies: host path of what is below /app beside the slug; None where
    writable_slug is set. changeable: mounted after the binds.
    """

    label: str
    argv: tuple[str, ...]
    env: Mapping[str, Secret]
    uid: int
    slug: str | None
    writable_slug: bool
    binds: tuple[Bind, ...]
    hide: tuple[str, ...]
    scratch_mib: int
    limits: Mapping[str, int]
    cgroups: tuple[Cgroup, ...]
    log_fifo: str | None
    app_log: str | None
    crash_file: str | None
    terminal: bool = False
    keeper: Keeper | None = None
    separate: bool = False
    syscall_filter: str | None = None
    ports: tuple[int, ...] = ()
    network: str | None = None
    address: str = LOOPBACK
    resolv_conf: str | None = None
    hosts: tuple[tuple[str, str], ...] = ()
    oom_score_adj: int = OOM_INSTANCE
    dependencies: str | None = None
    changeable: Changeable | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON object that the launcher reads; secrets revealed."""
        plain = _fields(self)
        plain["env"] = {name: value.reveal() for name, value in self.env.items()}
        plain["binds"] = [_fields(bind) for bind in self.binds]
        plain["cgroups"] = [_fields(cgroup) for cgroup in self.cgroups]
        for name in ("keeper", "changeable"):
            plain[name] = _fields(plain[name]) if plain[name] is not None else None
        return plain


def _fields(value: LaunchSpec | Bind | Changeable | Cgroup | Keeper) -> dict[str, Any]:
    """As dataclasses.asdict, which takes milliseconds since it also copies all that is in them."""
    return {each.name: getattr(value, each.name) for each in fields(value)}
