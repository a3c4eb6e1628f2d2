"""The system calls that Python 3.11 has no function for, by ctypes. Standard library only."""

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 0x80000

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4

_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4
_SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
_BYTES_PER_INSTRUCTION = 8

_SYS_MOUNT_SETATTR = 442  # the same number on every architecture
_SYS_LANDLOCK_CREATE_RULESET = 444
_SYS_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY_ASKED = 63


class Kernel:
    """Calls into the C library; each raises OSError that names what was tried."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def unshare(self, flags: int) -> None:
        """Leave the namespaces of the parent (unshare(2))."""
        self._check(self._libc.unshare(flags), "unshare the namespaces")

    def join(self, path: str, flag: int) -> None:
        """Enter the namespace that a file pins (setns(2)). flag: its kind, ``CLONE_NEW...``."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._check(self._libc.setns(fd, flag), f"join the namespace {path}")
        finally:
            os.close(fd)

    def mount(
        self, source: str, target: str, kind: str | None, flags: int, data: str | None = None
    ) -> None:
        """mount(2)."""
        result = self._libc.mount(
            os.fsencode(source),
            os.fsencode(target),
            None if kind is None else kind.encode(),
            ctypes.c_ulong(flags),
            None if data is None else os.fsencode(data),
        )
        self._check(result, f"mount {kind or source} on {target}")

    def bind(self, source: str, target: str, *, writable: bool) -> None:
        """Show a file or directory at another path, without devices and setuid."""
        self.mount(source, target, None, MS_BIND)
        flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | (0 if writable else MS_RDONLY)
        self.mount("none", target, None, flags)

    def end_writing(self, target: str) -> None:
        """Make a bind mount read-only, including open descriptors of it.

        Raises OSError EBUSY where a file of it is open for writing, wherever that descriptor is.
        """
        flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_RDONLY
        self.mount("none", target, None, flags)

    def seal(self, path: str) -> None:
        """Make the mount at path and all below it read-only, without setuid (mount_setattr(2))."""
        attributes = (ctypes.c_uint64 * 4)(MS_RDONLY | MS_NOSUID, 0, 0, 0)
        result = self._libc.syscall(
            ctypes.c_long(_SYS_MOUNT_SETATTR),
            ctypes.c_long(_AT_FDCWD),
            os.fsencode(path),
            ctypes.c_long(_AT_RECURSIVE),
            attributes,
            ctypes.c_long(ctypes.sizeof(attributes)),
        )
        self._check(result, "make the file systems read-only")

    def set_parent_death_signal(self, number: int) -> None:
        """Have the kernel send that signal when the parent ends; a change of uid forgets it."""
        self._check(self._prctl(_PR_SET_PDEATHSIG, number), "set the parent-death signal")

    def set_no_new_privs(self) -> None:
        """Disable setuid programs and file capabilities, permanently."""
        self._check(self._prctl(_PR_SET_NO_NEW_PRIVS, 1), "set no_new_privs")

    def drop_capability_bounds(self) -> None:
        """Empty the bounding and ambient sets (capabilities(7)); needs root."""
        for capability in range(_LAST_CAPABILITY_ASKED + 1):
            if self._prctl(_PR_CAPBSET_DROP, capability) != 0:
                break
        if capability == 0:
            self._check(-1, "drop capabilities")
        self._prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)

    def clear_capabilities(self) -> None:
        """Empty the effective, permitted and inheritable sets."""
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        data = (ctypes.c_uint32 * 6)()
        self._check(self._libc.capset(header, data), "clear the capabilities")

    def filter_system_calls(self, instructions: bytes) -> None:
        """Have the kernel run that program of classic BPF at each system call, permanently.

        Without SPEC_ALLOW, kernels before 5.16 slow every process with a filter down.
        """
        code = ctypes.create_string_buffer(instructions, len(instructions))
        # struct sock_fprog: a 16-bit count, padding, and a pointer.
        count = len(instructions) // _BYTES_PER_INSTRUCTION
        program = (ctypes.c_uint64 * 2)(count, ctypes.addressof(code))
        result = self._libc.syscall(
            ctypes.c_long(_SYS_SECCOMP[os.uname().machine]),
            ctypes.c_long(_SECCOMP_SET_MODE_FILTER),
            ctypes.c_long(_SECCOMP_FILTER_FLAG_SPEC_ALLOW),
            program,
        )
        self._check(result, "filter the system calls")

    def keep_abstract_sockets_apart(self) -> None:
        """Let it connect only to abstract sockets of its own descendants (landlock(7), unix(7)).

        Their names are not files, so neither mounts nor permissions keep apps apart there. Needs
        no_new_privs. Raises OSError on kernels before 6.12, and on those without Landlock.
        """
        # struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped.
        attributes = (ctypes.c_uint64 * 3)(0, 0, _LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET)
        rules = self._libc.syscall(
            ctypes.c_long(_SYS_LANDLOCK_CREATE_RULESET),
            attributes,
            ctypes.c_size_t(ctypes.sizeof(attributes)),
            ctypes.c_uint32(0),
        )
        self._check(min(rules, 0), "create Landlock rules")
        try:
            result = self._libc.syscall(
                ctypes.c_long(_SYS_LANDLOCK_RESTRICT_SELF), ctypes.c_int(rules), ctypes.c_uint32(0)
            )
            self._check(result, "apply Landlock rules")
        finally:
            os.close(rules)

    def _prctl(self, option: int, value: int) -> int:
        arguments = (ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
        return int(self._libc.prctl(option, *arguments))

    @staticmethod
    def _check(result: int, what: str) -> None:
        if result != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"cannot {what}: {os.strerror(number)}")
