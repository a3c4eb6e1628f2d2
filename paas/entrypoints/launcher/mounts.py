"""Builds an app process's view of the file system: a private mount namespace, never the host's.

Everything is reached through descriptors that were opened before anything is covered, so the slug,
the binds and the hidden directories may be below one another or below /tmp. Standard library only.
"""

import os
import stat

from paas.entrypoints.launcher import etc
from paas.entrypoints.launcher.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_SLAVE,
    Kernel,
)
from paas.entrypoints.launcher.places import APP

ALWAYS_HIDDEN = ("/home", "/root")
KEPT = "/home/.scratch"
SCRATCH = (("/tmp", 0o1777), ("/var/tmp", 0o1777), ("/dev/shm", 0o1777))  # noqa: S108 - replaced by the app's own
_INODES_PER_MIB = 256
_TERMINALS = 64
_LAYERS = ("lower", "room")
_READ_ONLY = MS_NOSUID | MS_RDONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Mounts:
    """Builds the view of one spec; call build() once, as root."""

    def __init__(self, spec: "dict[str, Any]", kernel: Kernel) -> None:
        self._spec = spec
        self._uid = int(spec["uid"])
        self._kernel = kernel
        self._scratch = ""  # /proc/self/fd/N of the one tmpfs
        self._ours: set[int] = set()  # st_dev of the file systems that only this process has

    def build(self, *, proc: bool = True) -> int:
        """Enter a new mount namespace and set it up; returns a descriptor of the scratch layer.

        proc: False leaves /proc to mount_proc, in a new PID namespace. Raises OSError if an
        essential step fails.
        """
        make_app_directory()
        self._kernel.unshare(CLONE_NEWNS | CLONE_NEWIPC)
        # Not private: otherwise what the host unmounts would stay in use while the process runs.
        self._kernel.mount("none", "/", None, MS_REC | MS_SLAVE)
        slug = None if self._spec["slug"] is None else _handle(self._spec["slug"])
        # In what an earlier version of the platform wrote there is no such field.
        shared = self._spec.get("dependencies")
        layers = [path for path in (slug, shared and _handle(shared)) if path]
        sources = [_handle(bind["source"]) for bind in self._spec["binds"]]
        changeable = self._spec.get("changeable")
        if changeable:
            changeable = {**changeable, **{name: _handle(changeable[name]) for name in _LAYERS}}
        try:
            self._kernel.seal("/")
        except OSError:
            pass  # an old kernel or container runtime: the uid still separates apps
        self._mount_scratch()
        self._mount_app(layers)
        self._hide()
        for path, mode in SCRATCH:
            self._cover(path, mode)
        for bind, source in zip(self._spec["binds"], sources, strict=True):
            self._bind(source, bind["target"], writable=bind["writable"])
        if changeable:
            self._mount_changeable(**changeable)
        etc.show(self._make("etc", 0o755), self._spec, self._kernel)
        self._show_scratch()
        self._mount_terminals()
        self._mount_sys()
        if proc:
            self.mount_proc()
        return int(self._scratch.rpartition("/")[2])

    def _mount_scratch(self) -> None:
        """The tmpfs for everything that is written; /app covers it, a descriptor keeps it open."""
        mib = int(self._spec["scratch_mib"])
        options = f"size={mib}m,nr_inodes={max(16_384, mib * _INODES_PER_MIB)},mode=0755"
        self._kernel.mount("paas", APP, "tmpfs", MS_NOSUID | MS_NODEV, options)
        self._scratch = _handle(APP)
        self._ours.add(os.stat(APP).st_dev)

    def _mount_app(self, layers: "list[str]") -> None:
        """layers: what /app shows, the upper ones first; none: it is empty."""
        if layers and self._spec["writable_slug"]:
            self._kernel.bind(layers[0], APP, writable=True)
            return
        upper = self._make("upper", 0o755)
        os.chown(upper, self._uid, self._uid)
        if not layers:
            self._kernel.mount(upper, APP, None, MS_BIND)
            return
        work = self._make("work", 0o755)
        options = f"lowerdir={':'.join(layers)},upperdir={upper},workdir={work}"
        self._kernel.mount("paas", APP, "overlay", MS_NOSUID | MS_NODEV, options)

    def _hide(self) -> None:
        """Cover directories with empty ones; parents first, so that what they hide is skipped."""
        for path in sorted({*ALWAYS_HIDDEN, *self._spec["hide"]}):
            if os.path.isdir(path):
                self._cover(path, 0o755)

    def _cover(self, path: str, mode: int) -> None:
        """Put an empty directory of the scratch layer over path."""
        empty = self._make(path.strip("/").replace("/", "\\"), mode)
        if os.path.isdir(path):
            self._kernel.mount(empty, path, None, MS_BIND)

    def _bind(self, source: str, target: str, *, writable: bool) -> None:
        """Show source at target, which is made if it is missing in a layer of our own."""
        inside_app = target == APP or target.startswith(APP + "/")
        real = os.path.realpath(target)
        if inside_app and real != target:
            raise OSError(f"cannot bind on {target}: the app has a symbolic link there")
        directory = stat.S_ISDIR(os.stat(source).st_mode)
        if not os.path.lexists(real):
            parent = os.path.dirname(real)
            self._make_directories(parent, owned=inside_app)
            if directory:
                self._make_directories(real, owned=inside_app)
            else:
                self._require_ours(parent)
                os.close(os.open(real, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        self._kernel.bind(source, real, writable=writable)

    def _mount_changeable(self, lower: str, room: str, target: str) -> None:
        """Show lower at target, with what changes in room; if that is refused, nothing is there."""
        # Through a mount that can be written to, which the sealed one of the host cannot be.
        shown = self._make("room", 0o700)
        self._kernel.bind(room, shown, writable=True)
        self._make_directories(target, owned=False)
        # Whatever the machine's defaults are: its layers are read without overlayfs afterwards.
        # Volatile: otherwise each build would end with a sync of the whole file system.
        options = f"lowerdir={lower},upperdir={shown}/upper,workdir={shown}/work"
        options += ",index=off,metacopy=off,redirect_dir=off,volatile"
        try:
            self._kernel.mount("paas", target, "overlay", MS_NOSUID | MS_NODEV, options)
        except OSError:  # on overlayfs itself, as in a container, or before Linux 5.10
            os.rmdir(target)

    def _make_directories(self, path: str, *, owned: bool) -> None:
        """Create path and its missing parents, but never on a file system of the host."""
        if os.path.isdir(path):
            return
        parent = os.path.dirname(path)
        self._make_directories(parent, owned=owned)
        if not owned:
            self._require_ours(parent)
        os.mkdir(path, 0o755)
        if owned:
            os.chown(path, self._uid, self._uid)

    def _require_ours(self, directory: str) -> None:
        if os.stat(directory).st_dev not in self._ours:
            raise OSError(f"cannot bind below {directory}: there is no such place to bind on")

    def _show_scratch(self) -> None:
        """Show the whole layer to root only, for a keeper that was not running at the start."""
        os.mkdir(KEPT, 0o700)
        os.mkdir(f"{KEPT}/all", 0o700)
        self._kernel.mount(self._scratch, f"{KEPT}/all", None, MS_BIND)

    def _mount_terminals(self) -> None:
        """Mount its own /dev/pts: it sees no other terminals, and cannot use them all up.

        /dev/ptmx creates its terminals in the /dev/pts next to it (Linux 4.7). If the mount is
        refused the host's stays; then only the uid separates apps.
        """
        options = f"newinstance,ptmxmode=0666,mode=0600,max={_TERMINALS}"
        try:
            self._kernel.mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, options)
        except OSError:
            pass

    def _mount_sys(self) -> None:
        """Mount a /sys of its own, which hides the host's cgroups and another network's interfaces.

        Its own cgroup is visible, as in a container, so that runtimes find their limits. Raises
        OSError if the kernel refuses it to an app with a network of its own.
        """
        own = [one["path"] for one in self._spec["cgroups"]]
        unified = [path for path in own if os.path.exists(f"{path}/cgroup.controllers")]
        shown = [_handle(path) for path in unified[:1]]
        try:
            self._kernel.mount("sysfs", "/sys", "sysfs", MS_NOEXEC | MS_NODEV | _READ_ONLY)
        except OSError:
            if self._spec.get("network") is not None:
                raise
            self._cover("/sys/fs/cgroup", 0o755)  # some containers refuse it
        for handle in shown:
            self._kernel.bind(handle, "/sys/fs/cgroup", writable=False)

    def mount_proc(self) -> None:
        """Mount a /proc of this PID namespace, without other users' processes.

        If it is refused, the old one stays.
        """
        flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
        for option in ("hidepid=invisible", "hidepid=2"):
            try:
                self._kernel.mount("proc", "/proc", "proc", flags, option)
                return
            except OSError:
                continue

    def _make(self, name: str, mode: int) -> str:
        path = f"{self._scratch}/{name}"
        os.mkdir(path, 0o755)
        os.chmod(path, mode)
        return path


def make_app_directory() -> None:
    """Create the host's empty /app, which only serves as the mount point."""
    try:
        os.mkdir(APP, 0o755)
    except FileExistsError:
        pass


def _handle(path: str) -> str:
    """A path that stays valid when path itself is covered: a descriptor of the file there."""
    return f"/proc/self/fd/{os.open(path, os.O_PATH | os.O_CLOEXEC)}"
