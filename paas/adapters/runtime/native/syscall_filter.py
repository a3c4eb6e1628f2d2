"""The seccomp filter of apps and builds: the rules, compiled by libseccomp to a file.

The launcher only reads that file and hands it to the kernel. libseccomp knows the numbers of the
calls on each architecture, and sorts them so that the usual calls cost next to nothing.
"""

import ctypes
import errno
import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from paas.adapters.runtime.native import syscall_rules as rules
from paas.adapters.system import files
from paas.settings import Settings

LIBRARY = "libseccomp.so.2"
_ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")
_ALLOW = 0x7FFF_0000
_ERRNO = 0x0005_0000
_ATTRIBUTE_BAD_ARCH, _ATTRIBUTE_OPTIMIZE = 2, 8
_BINARY_TREE = 2
_NATIVE_ARCH = 0
_HIGHEST_NUMBER = 1024
_EQUAL, _GREATER, _MASKED_EQUAL = 4, 6, 7
_REFUSED = _ERRNO | errno.EPERM
_UNKNOWN = _ERRNO | errno.ENOSYS


class _Comparison(ctypes.Structure):
    """libseccomp's scmp_arg_cmp."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


# What a call is answered with if its arguments are so; no comparisons: always.
_Rule = tuple[str, int, tuple[_Comparison, ...]]


def filter_path(settings: Settings, *, user_namespaces: bool = False) -> str | None:
    """The file of the compiled filter, made if it is missing; None: the machine cannot filter.

    user_namespaces: whether the app may make namespaces of its own.
    """
    content = Path(rules.__file__).read_bytes() + Path(__file__).read_bytes()
    kind = "namespaces" if user_namespaces else "usual"
    path = settings.paths.syscall_filters / f"{hashlib.sha256(content).hexdigest()[:16]}-{kind}"
    if not path.exists():
        if lack() is not None:
            return None
        files.make_directory(path.parent)
        files.write_atomic(path, compiled(user_namespaces=user_namespaces), durable=False)
    return str(path)


def lack() -> str | None:
    """What the machine lacks to filter system calls, as a sentence."""
    if not _ACTIONS.exists():
        return "The kernel has no seccomp filters."
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return f"{LIBRARY} is missing."
    return None


def compiled(*, user_namespaces: bool = False) -> bytes:
    """The filter for this machine's architecture, as instructions of classic BPF."""
    library = _library()
    context = library.seccomp_init(_UNKNOWN)
    try:
        _check(library.seccomp_attr_set(context, _ATTRIBUTE_BAD_ARCH, _UNKNOWN))
        _check(library.seccomp_attr_set(context, _ATTRIBUTE_OPTIMIZE, _BINARY_TREE))
        numbers = dict(_known_calls(library))
        for name, answer, comparisons in _rules(numbers, user_namespaces=user_namespaces):
            array = (_Comparison * len(comparisons))(*comparisons)
            _check(
                library.seccomp_rule_add_array(
                    context, answer, numbers[name], len(comparisons), array
                )
            )
        fd = os.memfd_create("filter")
        try:
            _check(library.seccomp_export_bpf(context, fd))
            return os.pread(fd, os.fstat(fd).st_size, 0)
        finally:
            os.close(fd)
    finally:
        library.seccomp_release(context)


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    library.seccomp_syscall_resolve_num_arch.restype = ctypes.c_void_p  # to be freed
    library.seccomp_syscall_resolve_num_arch.argtypes = [ctypes.c_uint32, ctypes.c_int]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Comparison),
    ]
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library


def _known_calls(library: ctypes.CDLL) -> Iterator[tuple[str, int]]:
    """Name and number of each system call that libseccomp knows of this architecture."""
    free = ctypes.CDLL(None).free
    free.argtypes = [ctypes.c_void_p]
    for number in range(_HIGHEST_NUMBER):
        pointer = library.seccomp_syscall_resolve_num_arch(_NATIVE_ARCH, number)
        if pointer:
            yield ctypes.string_at(pointer).decode(), number
            free(pointer)


def _rules(known: dict[str, int], *, user_namespaces: bool) -> Iterator[_Rule]:
    by_arguments = {"clone", "personality", "socket", "socketpair"}
    namespaces = frozenset() if user_namespaces else rules.NAMESPACE_CALLS
    for name in known:
        if name in rules.NOT_PERMITTED or name in namespaces:
            yield name, _REFUSED, ()
        elif name not in by_arguments and name not in rules.NOT_IMPLEMENTED:
            yield name, _ALLOW, ()
    if user_namespaces:
        yield "clone", _ALLOW, ()
    else:
        mask = sum(rules.NAMESPACE_FLAGS)
        yield "clone", _ALLOW, (_Comparison(0, _MASKED_EQUAL, mask, 0),)
        for flag in rules.NAMESPACE_FLAGS:
            yield "clone", _REFUSED, (_Comparison(0, _MASKED_EQUAL, flag, flag),)
    for value in rules.PERSONALITIES:
        yield "personality", _ALLOW, (_Comparison(0, _EQUAL, value, 0),)
    yield "socketpair", _ALLOW, (_family(socket.AF_UNIX),)
    yield from _sockets()


def _sockets() -> Iterator[_Rule]:
    yield "socket", _ALLOW, (_family(socket.AF_UNIX),)
    yield "socket", _ALLOW, (_family(socket.AF_NETLINK), _protocol(_EQUAL, rules.NETLINK_ROUTE))
    for family, protocols in rules.INTERNET_PROTOCOLS.items():
        for protocol in protocols:
            yield "socket", _ALLOW, (_family(family), _protocol(_EQUAL, protocol))
        newer = _protocol(_GREATER, rules.HIGHEST_PROTOCOL)
        yield "socket", _ERRNO | rules.NO_PROTOCOL, (_family(family), newer)
    above = (_Comparison(0, _GREATER, rules.HIGHEST_FAMILY, 0),)
    yield "socket", _ERRNO | rules.NO_FAMILY, above


def _family(family: int) -> _Comparison:
    return _Comparison(0, _EQUAL, family, 0)


def _protocol(operator: int, protocol: int) -> _Comparison:
    return _Comparison(2, operator, protocol, 0)


def _check(result: int) -> None:
    """Raise OSError for libseccomp's negative error number."""
    if result < 0:
        raise OSError(-result, f"libseccomp: {os.strerror(-result)}")
