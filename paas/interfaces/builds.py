"""From a tree to a slug."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from paas.domain.apps.apps import App
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.builds.buildpacks import Buildpack, StaticFiles
from paas.domain.builds.cache_records import Span
from paas.domain.manifest.procfile import Processes
from paas.domain.releases.artifacts import Artifact, Image
from paas.domain.releases.releases import (
    ConfigVars,
)
from paas.domain.routing.sites import SlugFolder


@dataclass(frozen=True, slots=True)
class Built:
    """What the buildpacks produced.

    buildpack: their names, in order. processes: those that the last one proposes if there is no
    Procfile line. config: defaults for config vars. static: files for the proxy to serve if there
    is no web process. procfile: the Procfile as it is after the build, or None. image: what was
    built, where that is an image; the builder keeps it until the slug is removed. image_bytes: its
    size, with that of its base image. user: who it runs as, if it names somebody (``USER``).
    dependencies: see Slug.
    """

    buildpack: str
    processes: Processes
    config: ConfigVars = field(default_factory=dict)
    static: StaticFiles | None = None
    procfile: bytes | None = None
    image: Image | None = None
    image_bytes: int = 0
    user: str = ""
    dependencies: str | None = None


class Builder(Protocol):
    """The buildpacks, run in the build sandbox as the app's uid."""

    def expecting(self) -> AbstractContextManager[None]:
        """Get ready for one build, which comes in the block or does not come at all."""

    def build(
        self,
        app: App,
        tree: Path,
        config: ConfigVars,
        output: Callable[[bytes], None],
        *,
        buildpacks: Sequence[Buildpack] = (),
        dockerfile: DockerfileBuild | None = None,
        commit: str = "",
        share_dependencies: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> Built:
        """Detect and compile the tree in place. output takes each line, without its end.

        buildpacks: the app's own, in order; none: the first of the platform's that fits.
        dockerfile: what a builder of images builds; None: a file of that name, all of it.
        share_dependencies: whether they may be in a layer, outside of the tree.
        check: called several times a second; what it raises ends the build and all of it.
        Raises PaasError with the reason if no buildpack fits or the build fails.
        """

    def left(self, app_id: int) -> bool:
        """Whether there is anything for `clear`; nothing is changed."""

    def clear(self, app_id: int) -> bool:
        """Clean up what an interrupted build of the app left; returns whether it left anything."""

    def keep_cache(self, used: Callable[[], Sequence[Span]]) -> int:
        """Delete what of a cache that all apps share no build at these times used last.

        used: called only if there is such a cache, since it goes through the builds of all apps.

        Returns how many bytes were freed; 0 where each app has a cache of its own (`Slugs`).
        Raises PaasError.
        """


class BuildQueue(Protocol):
    """The queue of builds: some number run at once on a server, in fair turns.

    domain/builds/turns.py says in which order."""

    def turn(
        self,
        build_id: str,
        user: str,
        moved: Callable[[int, Sequence[str]], None],
        check: Callable[[], None],
    ) -> AbstractContextManager[None]:
        """Wait for one of the places to build, and hold it. user: who started the build.

        moved: called with each new place in the queue, 1 for the next, and with the ids of the
        builds before it, starting with those being built; a place may also move back. check:
        called several times a second while it waits; an exception from it ends the wait.
        """

    def place(self, build_id: str) -> int | None:
        """0: it is being built; 1: it is next; None: it is not in the queue."""

    def ask_to_cancel(self, build_id: str, user: str) -> None:
        """Leave a request for the process that builds it."""

    def cancelled_by(self, build_id: str) -> str | None:
        """Who asked to cancel it."""

    def forget(self, build_id: str) -> None:
        """Remove what was left for a build that has ended."""


class BuildpackCatalog(Protocol):
    """Which buildpacks this server has."""

    def names(self) -> tuple[str, ...]:
        """The platform's own, in the order in which they are tried."""

    def why_not(self, directory: str) -> str | None:
        """Why a directory of the server cannot be a buildpack, as a sentence; None if it can."""


class Slugs(Protocol):
    """The directories of slugs and of builds in progress."""

    def new_build(self, build_id: str, uid: int) -> Path:
        """An empty directory, owned by uid, for a build's tree."""

    def keep_only(self, build_id: str, folder: str) -> None:
        """Make a folder of a newly written tree the build's directory; delete the rest.

        Raises PaasError if there is no such folder.
        """

    def copy(self, slug_id: str, build_id: str, uid: int) -> None:
        """The finished tree of a build, owned by uid, from a slug, which it shares nothing with.

        It has the slug's dependencies in it.

        Raises PaasError if the slug has no files, or there is no space.
        """

    def freeze(self, build_id: str) -> int:
        """Turn a finished build's tree into the slug of that id; returns its size in bytes."""

    def begin_sync(self) -> None:
        """Begin to sync the frozen slugs to disk, in parallel with other work."""

    def wait_for_sync(self) -> None:
        """Return when the frozen slugs would survive a power cut.

        Raises PaasError if they cannot be written.
        """

    def path(self, slug_id: str) -> Path: ...
    def artifact(self, slug_id: str, image: Image | None = None) -> Artifact:
        """The slug as a runtime takes it. image: `Slug.image`."""

    def page(self, slug_id: str, name: str) -> Path | None:
        """A file at the top of a slug that the proxy can show; None if it does not exist."""

    def folder(self, slug_id: str, name: str) -> SlugFolder | None:
        """A folder of a slug; None if there is none, or a link leads to it."""

    def remove(self, slug_id: str) -> None:
        """Delete a slug or an unfinished build; no error if there is none."""

    def dependency_bytes(self, app_id: int) -> Mapping[str, int]:
        """The disk usage of the layers of an app's dependencies, by name."""

    def remove_dependencies(self, app_id: int, unused: Collection[str]) -> None:
        """Delete layers that no slug names, but for the one that the next build can use.

        What a crash left of a layer is deleted too.
        """

    def remove_cache(self, app_id: int) -> None:
        """Delete an app's build cache, and the layers of its dependencies."""

    def empty_cache(self, app_id: int) -> None:
        """Delete an app's build cache, except which Python it has: that stays with the app."""

    def cache_bytes(self, app_id: int) -> int:
        """The disk usage of an app's build cache."""

    def unfinished(self) -> list[str]:
        """The ids of builds in progress, or left by a crash."""

    def slugs(self) -> list[str]: ...
    def damage(self, slug_id: str, image: Image | None = None) -> str | None:
        """Why nothing can be started from a slug, as the end of a sentence; None if it can.

        image: `Slug.image`; whether it is there is not known while the engine does not answer.
        """

    def check_writable(self) -> None:
        """Raises PaasError if nothing can be written: no space, no inodes, or read-only."""

    def check_free_space(self) -> None:
        """Raises PaasError if the disk is too full for code and builds.

        What is left then is reserved for the platform.
        """
