"""The runtime image in the server's engine: built once, and again when it is old or on request.

A file says which image it is, by id: what has its name or a label could be another's. An image that
is replaced lasts until the last slug that is built on it is deleted.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from paas.adapters.docker.bootstrap import Bootstrap, codename
from paas.adapters.docker.connection import docker_client, is_not_found
from paas.adapters.docker.images import Images
from paas.adapters.docker.tree_archive import TreeArchive
from paas.adapters.system import files, flocks, subprocesses
from paas.domain.builds.runtime_image import REPOSITORY, RuntimeImage, runtime_name
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Progress
from paas.settings import Settings

# Fills an empty directory with a distribution; check is called often.
Fill = Callable[[Path, Callable[[], None]], None]
_MOUNTS = Path("/proc/self/mountinfo")
_ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
_REMOVE_LIMIT_S = 600.0
_ID = re.compile(r"sha256:[0-9a-f]{64}")
# Docker mounts its own.
_SKIPPED = frozenset({"dev", "proc", "sys", "run", "tmp"})


class RuntimeImages:
    """fill: makes the file system, where it is not debootstrap that does."""

    def __init__(self, settings: Settings, clock: Clock, fill: Fill | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._fill = fill or Bootstrap(settings).fill
        self._images = Images(settings)
        self._folder = settings.paths.docker / "runtime"
        self._record = settings.paths.docker / "runtime.json"
        self._lock = settings.paths.docker / "runtime.lock"

    def current(self) -> RuntimeImage | None:
        """The one on which slugs are put; None: it was not made yet, or is gone."""
        found = files.read_json(self._record)
        if not isinstance(found, dict) or not self._images.has(str(found["id"])):
            return None
        made_at = datetime.fromisoformat(str(found["made_at"]))
        size_bytes = self._images.facts(str(found["id"])).size_bytes
        return RuntimeImage(str(found["id"]), str(found["name"]), made_at, size_bytes)

    def ready(self, progress: Progress) -> RuntimeImage:
        """One to use: built if it is missing and, if possible, again if it is old."""
        now, days = self._clock.now(), self._settings.runtime_image_days
        found = self.current()
        if found is not None and not found.is_old(now, days):
            return found
        # One build is enough to make it; others use the old one, if there is one.
        if found is not None and flocks.is_file_held(self._lock):
            return found
        try:
            return self.make(progress, unless=lambda made: not made.is_old(now, days))
        except PaasError as error:
            progress.check()
            if found is None:
                raise
            progress.warn(f"The runtime image is over {days} days old. {error.summary}.")
            return found

    def make(
        self, progress: Progress, unless: Callable[[RuntimeImage], bool] = lambda _: False
    ) -> RuntimeImage:
        """Build it again, unless another process has built a usable one meanwhile."""
        with flocks.locked(self._lock):
            former = self.current()
            if former is not None and unless(former):
                return former
            progress.step("Building the runtime image; this takes some minutes, once a month or so")
            with progress.doing("making the runtime image"):
                self._clear()
                files.make_directory(self._folder, mode=0o700)
                try:
                    root = self._folder / "root"
                    files.make_directory(root, mode=0o755)
                    self._fill(root, progress.check)
                    made = self._take(root, progress.check)
                finally:
                    self._clear()
            self._retire(former, made)
            progress.detail(f"{made.name}, {made.size_bytes // 1024**2} MiB")
            return made

    def _take(self, root: Path, check: Callable[[], None]) -> RuntimeImage:
        """Into the engine, and into the record."""
        made_at = self._clock.now()
        name = runtime_name(codename(), made_at)
        archive = TreeArchive(root, skip=_SKIPPED, check=check)
        with docker_client(self._settings, answer_limit_s=self._settings.build_limit_s) as client:
            said = client.api.import_image_from_data(
                archive.pieces(), repository=REPOSITORY, tag=name.rpartition(":")[2]
            )
        found = _ID.search(str(said))
        if found is None:
            raise PaasError("runtime-image", "The Docker engine did not load the runtime image.")
        text = json.dumps({"id": found[0], "name": name, "made_at": made_at.isoformat()})
        files.write_atomic(self._record, text, mode=0o600)
        return RuntimeImage(found[0], name, made_at, archive.size_bytes)

    def _retire(self, former: RuntimeImage | None, made: RuntimeImage) -> None:
        """Former ones lose their names; their files go with the last slug that is built on them."""
        from docker.errors import APIError

        with docker_client(self._settings) as client:
            named = client.api.images(REPOSITORY)
            gone = [name for one in named for name in one["RepoTags"] if name != made.name]
            if former is not None and former.name == made.name:
                gone.append(former.id)
            for one in gone:
                try:
                    client.api.remove_image(one)
                except APIError as error:  # 409: slugs are built on it
                    if not is_not_found(error) and error.status_code != 409:
                        raise

    def _clear(self) -> None:
        """Delete what a former making left. Raises PaasError if something is mounted in it."""
        for target in _mounts_below(self._folder):
            subprocesses.run(
                ["/usr/bin/umount", "--", target],
                description=f"Unmounting {target}",
                timeout_s=_REMOVE_LIMIT_S,
                env=_ENV,
            )
        # Never into another file system, should something be mounted at this very moment.
        subprocesses.run(
            ["/usr/bin/rm", "-rf", "--one-file-system", "--", self._folder],
            description=f"Removing {self._folder}",
            timeout_s=_REMOVE_LIMIT_S,
            env=_ENV,
        )


def _mounts_below(folder: Path) -> list[str]:
    """The places in a folder where something is mounted, those on top first."""
    # proc(5): blanks and backslashes are octal there.
    places = [line.split()[4] for line in _MOUNTS.read_text().splitlines()]
    plain = [
        re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place) for place in places
    ]
    return [place for place in reversed(plain) if Path(place).is_relative_to(folder)]
