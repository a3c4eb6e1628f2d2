"""Lets BuildKit take over the files that an app's last build had too, instead of copying them.

BuildKit keeps the files that a build was given, under a key that the client makes of their
directory's path and a node's id. At the next build with that key it asks only for files whose size,
mode or time of change is another. Each build has a directory of its own, whose files are all new.
So a file with the content that its path had in the last build gets the time from then, and any
other gets one that no build of the app had before: no time ever stands for two contents of a path.

What a build had is noted when it has ended well. After any other end, what it changed gets a new
time once more, whatever the engine received of it.
"""

import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from paas.adapters.system import files
from paas.settings import Settings

# Where `docker build` reads the node's id, in the folder of its configuration: for the engine's own
# BuildKit, and for the plugin that later versions need.
NODE_IDS = (".buildNodeID", "buildx/.buildNodeID")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NOTES_MAX_BYTES = 2**28
_READ_BYTES = 2**18
_CHECK_FILES = 64
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class _Notes:
    """What the last build had: by path, the content's hash and the time in nanoseconds."""

    key: str = field(default_factory=lambda: secrets.token_hex(16))
    time_ns: int = 0
    files: dict[str, tuple[str, int]] = field(default_factory=dict)


class BuildContext:
    """The files of one build. No other build of the app runs meanwhile."""

    def __init__(self, settings: Settings, app_id: int) -> None:
        self._path = notes_path(settings.paths.docker, app_id)
        self._former = _read(self._path)
        # Later than any before, even if the clock was set back.
        self.time_ns = max(time.time_ns(), self._former.time_ns + 1)
        self._found: dict[str, tuple[str, int]] = {}

    @property
    def node_id(self) -> str:
        """Makes BuildKit's key the app's own; a new one where nothing is noted.

        After a power cut, what the engine knows of its files may be older than they are. So each
        start of the machine has another one.
        """
        return f"{self._former.key}-{_BOOT_ID.read_text().strip()}"

    def prepare(self, tree: Path, check: Callable[[], None]) -> None:
        """Give the tree's files their times. check: called often; what it raises ends this."""
        for folder, folders, names, descriptor in os.fwalk(tree):
            check()
            for number, name in enumerate((*folders, *names)):  # a link to a folder counts as one
                if number % _CHECK_FILES == _CHECK_FILES - 1:  # it takes as long as a file
                    check()
                self._prepare(f"{folder[len(str(tree)) :]}/{name}", name, descriptor)

    def keep(self) -> None:
        """Note what the build had, as the engine now has all of it."""
        files.make_directory(self._path.parent)
        notes = {"key": self._former.key, "time_ns": self.time_ns, "files": self._found}
        files.write_atomic(self._path, json.dumps(notes), durable=False)

    def _prepare(self, path: str, name: str, folder: int) -> None:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            target = os.fsencode(os.readlink(name, dir_fd=folder))
            time_ns = self._time_of(path, hashlib.sha256(target).hexdigest())
            os.utime(name, ns=(time_ns, time_ns), dir_fd=folder, follow_symlinks=False)
        elif stat.S_ISREG(mode):
            descriptor = os.open(name, _PLAIN, dir_fd=folder)
            try:
                time_ns = self._time_of(path, _digest(descriptor))
                os.utime(descriptor, ns=(time_ns, time_ns))
            finally:
                os.close(descriptor)

    def _time_of(self, path: str, digest: str) -> int:
        known, time_ns = self._former.files.get(path, ("", 0))
        self._found[path] = (digest, time_ns if known == digest else self.time_ns)
        return self._found[path][1]


def notes_path(docker: Path, app_id: int) -> Path:
    """What is noted of an app's last build; it may be deleted at any time."""
    return docker / "contexts" / str(app_id)


def _digest(descriptor: int) -> str:
    """Of all that can be read; hashlib's own function makes a large buffer for each file."""
    found = hashlib.sha256()
    while data := os.read(descriptor, _READ_BYTES):
        found.update(data)
    return found.hexdigest()


def _read(path: Path) -> _Notes:
    """None that can be read are none: then all files are new."""
    try:
        found = json.loads(files.read_bytes(path, _NOTES_MAX_BYTES) or b"")
        known = {name: (digest, time_ns) for name, (digest, time_ns) in found["files"].items()}
        return _Notes(found["key"], found["time_ns"], known)
    except (ValueError, LookupError, TypeError, AttributeError):
        return _Notes()
