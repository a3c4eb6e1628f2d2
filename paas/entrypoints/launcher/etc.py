"""An app process's own /etc: the host's, with the host's system accounts and the app's alone.

Standard library only.
"""

import os
import stat

from paas.entrypoints.launcher.kernel import (
    MS_BIND,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    Kernel,
)
from paas.entrypoints.launcher.places import APP, separate_gid

# Of these lists of accounts an app sees only its own version, or nothing.
_ACCOUNTS = ("passwd", "group")
_MORE_ACCOUNTS = ("passwd-", "group-", "subuid", "subuid-", "subgid", "subgid-")
_HIGHEST_SYSTEM_UID = 999
_NOBODY = 65_534

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def show(directory: str, spec: "dict[str, Any]", kernel: Kernel) -> None:
    """Show an /etc with its own accounts: the host's system accounts and the app.

    Mounts on the lists of accounts are not enough: when the host replaces one, as useradd does,
    the kernel drops what is mounted on the old one, in every namespace. So /etc is our own
    directory, an empty one before, in which the host's directories and plain files are mounted one
    by one. Raises OSError.
    """
    uid = int(spec["uid"])
    resolv_conf = spec.get("resolv_conf")
    has_network = bool(spec.get("network"))
    replaced = {*_ACCOUNTS, *_MORE_ACCOUNTS, *(("resolv.conf",) if resolv_conf else ())}
    more = spec.get("hosts", ())
    replaced |= {"hosts"} if has_network or more else set()
    os.chdir("/etc")  # remains the host's directory when ours covers it
    kernel.mount(directory, "/etc", None, MS_BIND)
    with os.scandir() as entries:
        for entry in entries:
            if entry.name not in replaced:
                try:
                    _show_entry(entry, kernel)
                except FileNotFoundError:
                    pass  # removed meanwhile, as a temporary file of the host's package manager
    app = f"app:x:{uid}:{uid}::{APP}:/bin/bash\n".encode()
    groups = f"app:x:{uid}:\napp-once:x:{separate_gid(uid)}:\n".encode()
    for name, own in zip(_ACCOUNTS, (app, groups), strict=True):
        with open(name, "rb") as host:
            _write_new(f"/etc/{name}", b"".join([*_system_accounts(host), own]))
    if resolv_conf:
        _write_new("/etc/resolv.conf", resolv_conf.encode())
    if "hosts" in replaced:
        _write_new("/etc/hosts", _hosts(more, ipv6=not has_network))
    os.chdir("/")
    kernel.mount("none", "/etc", None, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_RDONLY)


def _show_entry(entry: "os.DirEntry[str]", kernel: Kernel) -> None:
    """A link, file or directory of the host's /etc; an empty one if only root may read it.

    A bind mount costs as much time as a copy of a small file, and no memory of the app's.
    """
    shown = f"/etc/{entry.name}"
    if entry.is_symlink():
        os.symlink(os.readlink(entry.name), shown)
        return
    mode = entry.stat(follow_symlinks=False).st_mode
    if stat.S_ISDIR(mode):
        is_shown = bool(mode & stat.S_IXOTH)
        os.mkdir(shown, 0o755 if is_shown else 0o700)
    elif stat.S_ISREG(mode):
        is_shown = bool(mode & stat.S_IROTH)
        os.mknod(shown, 0o644 if is_shown else 0o600)
    else:
        return
    if is_shown:
        kernel.mount(entry.name, shown, None, MS_BIND | MS_REC)


def _hosts(more: "list[list[str]]", *, ipv6: bool) -> bytes:
    """The machine's names, from the working directory, and more addresses with theirs."""
    try:
        with open("hosts", "rb") as host:
            lines = host.read()
    except FileNotFoundError:
        lines = b""
    if not ipv6:
        lines = _without_ipv6_loopback(lines)
    if lines and not lines.endswith(b"\n"):
        lines += b"\n"
    return lines + b"".join(f"{address} {name}\n".encode() for address, name in more)


def _without_ipv6_loopback(hosts: bytes) -> bytes:
    """The machine's names, with localhost at 127.0.0.1 only: nothing else leads to the machine."""
    lines = hosts.splitlines(keepends=True)
    return b"".join(line for line in lines if line.split()[:1] != [b"::1"])


def _write_new(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(fd, content)
        os.fchmod(fd, 0o644)
    finally:
        os.close(fd)


def _system_accounts(lines: "Any") -> "list[bytes]":
    """The lines of a passwd or group file for system accounts: ids below 1000 and nobody."""
    kept = []
    for line in lines:
        fields = line.rstrip(b"\n").split(b":")
        if len(fields) < 3 or not fields[2].isdigit() or fields[0] == b"app":
            continue
        if int(fields[2]) <= _HIGHEST_SYSTEM_UID or int(fields[2]) == _NOBODY:
            kept.append(b":".join(fields) + b"\n")
    return kept
