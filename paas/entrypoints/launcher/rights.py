"""The launcher's part that drops root privileges permanently. Standard library only."""

import os

from paas.entrypoints.launcher.kernel import Kernel
from paas.entrypoints.launcher.places import APP, separate_gid

_EXIT_ORPHAN = 70
_SIGKILL = 9


def become(
    uid: int, kernel: Kernel, parent: int, *, separate: bool = False, syscalls: bytes = b""
) -> None:
    """Drop to the app's uid with nothing left of root, tied to the supervisor's life.

    separate: use a gid of its own, since the kernel lets no process trace or inspect one with
    another gid (ptrace(2), access mode checking). The app's own group stays a supplementary group.
    syscalls: the filter of system calls; none where the machine cannot filter.
    """
    if uid < 1:
        raise OSError("the spec asks for root")
    kernel.drop_capability_bounds()
    os.setgroups([uid] if separate else [])
    gid = separate_gid(uid) if separate else uid
    try:
        os.setresgid(gid, gid, gid)
    except OSError:
        os.setresgid(uid, uid, uid)  # a container without that gid
    os.setresuid(uid, uid, uid)
    kernel.clear_capabilities()
    kernel.set_no_new_privs()
    try:
        kernel.keep_abstract_sockets_apart()
    except OSError:
        pass  # an old kernel; apps with networks of their own have their own abstract sockets
    kernel.set_parent_death_signal(_SIGKILL)
    if os.getppid() != parent:
        os._exit(_EXIT_ORPHAN)  # the parent died before the signal was set
    os.chdir(APP)
    os.umask(0o022)
    if syscalls:
        kernel.filter_system_calls(syscalls)
