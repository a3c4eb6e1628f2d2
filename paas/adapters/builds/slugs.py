"""The directories of slugs and of builds in progress: state/slugs/ID and state/builds/ID."""

import os
import shutil
import stat
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from paas.adapters.builds.dependencies import FOLDER, DependencyLayers
from paas.adapters.builds.pythons import last_version
from paas.adapters.docker.build_context import notes_path
from paas.adapters.docker.images import Images
from paas.adapters.system import directories, files
from paas.adapters.system.disk_faults import no_space
from paas.domain.releases.artifacts import Artifact, Image
from paas.domain.routing.sites import SlugFolder
from paas.domain.values.errors import PaasError
from paas.paths import Paths


class FileSlugs:
    """Slugs of interfaces. A build becomes a slug by one rename, so it is whole or absent.

    It is synced to disk before any release of it is live, so that a power cut leaves no empty
    files. The sync runs while the instances start, not earlier: the store would have to wait for
    the same disk.

    min_free_mib: builds are refused and stopped if less is free on the disk. images: those that
    slugs start from; each is deleted with its slug. dependencies_of: the layer of a slug, by the
    store, since what is in a slug is the app's.
    """

    def __init__(
        self,
        paths: Paths,
        *,
        min_free_mib: int,
        images: Images | None = None,
        dependencies_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._slugs = paths.slugs
        self._builds = paths.builds
        self._caches = paths.cache
        self._docker = paths.docker
        self._min_free_mib = min_free_mib
        self._images = images
        self._layers = DependencyLayers(paths)
        self._dependencies_of = dependencies_of
        self._is_written = True
        self._writing: Future[None] | None = None

    def new_build(self, build_id: str, uid: int) -> Path:
        path = self._builds / build_id
        path.mkdir(mode=0o755)
        os.chown(path, uid, uid)
        return path

    def keep_only(self, build_id: str, folder: str) -> None:
        path = self._builds / build_id
        chosen = path
        for part in folder.split("/"):
            chosen = chosen / part
            if chosen.is_symlink() or not chosen.is_dir():
                raise PaasError(
                    "build-dir-missing",
                    f"The commit has no folder {folder}, which is the app's build-dir.",
                    "Correct it: paas builder:set build-dir FOLDER; without FOLDER, all is built.",
                )
        # Its name begins with the build's, so that a crash in between leaves nothing unknown.
        aside = self._builds / f"{build_id}.narrowed"
        chosen.rename(aside)
        directories.remove(path)
        aside.rename(path)

    def copy(self, slug_id: str, build_id: str, uid: int) -> None:
        directories.copy(self._slugs / slug_id, self._builds / build_id, uid)
        shared = self._dependencies(slug_id)
        if shared is not None:
            directories.copy(shared / FOLDER, self._builds / build_id / FOLDER, uid)

    def freeze(self, build_id: str) -> int:
        path = self._builds / build_id
        size_bytes = directories.size_bytes(path)
        path.rename(self._slugs / build_id)
        self._is_written = False
        return size_bytes

    def begin_sync(self) -> None:
        if not self._is_written and self._writing is None:
            beside = ThreadPoolExecutor(max_workers=1)
            self._writing = beside.submit(files.sync_file_system, self._slugs)
            beside.shutdown(wait=False)

    def wait_for_sync(self) -> None:
        self.begin_sync()
        if self._writing is not None:
            self._writing.result()
            self._writing, self._is_written = None, True

    def path(self, slug_id: str) -> Path:
        return self._slugs / slug_id

    def artifact(self, slug_id: str, image: Image | None = None) -> Artifact:
        """The slug as a runtime takes it."""
        return Artifact(self.path(slug_id), image, dependencies=self._dependencies(slug_id))

    def _dependencies(self, slug_id: str) -> Path | None:
        name = self._dependencies_of(slug_id)
        return self._layers.files(_app_of(slug_id), name) if name is not None else None

    def page(self, slug_id: str, name: str) -> Path | None:
        path = self._slugs / slug_id / name
        try:
            mode = path.lstat().st_mode
        except OSError:
            return None
        return path if stat.S_ISREG(mode) and mode & stat.S_IROTH else None

    def folder(self, slug_id: str, name: str) -> SlugFolder | None:
        shared = self._dependencies(slug_id) if name.split("/")[0] == FOLDER else None
        root = path = shared or self._slugs / slug_id
        for part in name.split("/"):
            path = path / part
            try:
                mode = path.lstat().st_mode
            except OSError:
                return None
            if not stat.S_ISDIR(mode):
                return None
        return SlugFolder(root, name)

    def remove(self, slug_id: str) -> None:
        if self._images is not None and not self._images.remove_build(slug_id):
            return  # the directory is what the next sweep finds
        for path in (self._builds / slug_id, self._slugs / slug_id):
            directories.remove(path)

    def dependency_bytes(self, app_id: int) -> Mapping[str, int]:
        return self._layers.sizes(app_id)

    def remove_dependencies(self, app_id: int, unused: Collection[str]) -> None:
        self._layers.remove_unused(app_id, unused)

    def remove_cache(self, app_id: int) -> None:
        self._layers.remove(app_id)
        files.remove(notes_path(self._docker, app_id))
        directories.remove(self._caches / str(app_id))

    def empty_cache(self, app_id: int) -> None:
        self._layers.forget_keys(app_id)
        files.remove(notes_path(self._docker, app_id))
        cache = self._caches / str(app_id)
        version = last_version(cache)
        if version is None:
            directories.remove(cache)
            return
        found = cache.stat(follow_symlinks=False)
        owner = (found.st_uid, found.st_gid)
        directories.remove(cache)
        folder = cache / "packs" / "python"
        for path in (cache, folder.parent, folder):
            files.make_directory(path, mode=0o700, owner=owner)
        files.write_atomic(folder / "version", f"{version}\n", owner=owner)

    def cache_bytes(self, app_id: int) -> int:
        return directories.size_bytes(self._caches / str(app_id))

    def unfinished(self) -> list[str]:
        return sorted(path.name for path in self._builds.iterdir())

    def slugs(self) -> list[str]:
        return sorted(path.name for path in self._slugs.iterdir())

    def damage(self, slug_id: str, image: Image | None = None) -> str | None:
        if image is not None and self._images is not None and not self._has(image):
            return f"need the image {image.id}, which the Docker engine does not have"
        path = self._slugs / slug_id
        try:
            empty = not any(path.iterdir())
        except OSError:
            return f"are gone from {path}"
        if empty:
            return f"are gone: {path} is empty"
        shared = self._dependencies(slug_id)
        if shared is not None and not (shared / FOLDER).is_dir():
            return f"lack their dependencies: {shared} is gone"
        python = (shared or path) / FOLDER / "bin" / "python"
        try:
            target = python.readlink()
        except OSError:
            return None  # no virtual environment, or one with its own Python
        # One below /app is in the slug, and used by this app only.
        if target.is_absolute() and not target.is_relative_to("/app") and not target.exists():
            return f"need {target}, which is gone"
        return None

    def _has(self, image: Image) -> bool:
        """Whether the engine has it, as far as it says."""
        try:
            return self._images is None or self._images.has(image.id)
        except PaasError:
            return True

    def check_writable(self) -> None:
        fault = no_space(self._builds)
        if fault is not None:
            raise fault

    def check_free_space(self) -> None:
        self.check_writable()
        free_mib = shutil.disk_usage(self._builds).free // 1024**2
        if free_mib < self._min_free_mib:
            raise PaasError(
                "disk-full",
                f"The server's disk is full: {free_mib} MiB are free, and the last "
                f"{self._min_free_mib} MiB are reserved for the platform (setting min_free_mib).",
                "Free some space on the server (df -h shows where), then push again.",
            )


def _app_of(slug_id: str) -> int:
    """The app's id, with which the id of a build begins."""
    return int(slug_id.partition("-")[0])
