"""Private buildpacks, fetched in the sandbox before the build that uses them."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from paas.adapters.builds.fetch_sandbox import FetchSandbox, Job, new_host_keys, workspaces_of
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.apps.apps import App
from paas.domain.git.credentials import FetchAccess
from paas.domain.git.sources import GitSource
from paas.domain.values.errors import PaasError
from paas.interfaces import FetchedBuildpacks
from paas.settings import Settings

_PACKS = "packs"


class SandboxBuildpackFetcher:
    """`BuildpackFetcher` of interfaces. In the cgroup of the app's build: one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sandbox = FetchSandbox(settings)
        self._cgroups = Cgroups(settings)

    @contextmanager
    def fetched(
        self,
        app: App,
        sources: Sequence[GitSource],
        access: FetchAccess,
        output: Callable[[bytes], None],
        check: Callable[[], None],
    ) -> Iterator[FetchedBuildpacks]:
        """Their files for as long as the context lasts; see interfaces.BuildpackFetcher."""
        what = {
            "kind": "buildpacks",
            "sources": [[one.url, one.ref] for one in sources],
            "max_files": self._settings.max_tree_files,
            "max_bytes": self._settings.max_tree_mib * 1024**2,
        }
        cgroups = self._cgroups.for_build(str(app.id))
        with self._sandbox.workspace(app, workspaces_of(app.id)[3]) as out:
            job = Job(app, out, out, what, f"build-{app.id}", cgroups, access=access)
            answer = self._sandbox.run(job, output, check)
            found = tuple(out / _PACKS / str(place) for place in range(len(sources)))
            for path in (out / _PACKS, *found):
                _require_directory(path)
            yield FetchedBuildpacks(found, new_host_keys(answer, access))


def _require_directory(path: Path) -> None:
    """The build sees what is there: it must be a directory, and no link to one of the server."""
    try:
        is_directory = stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        is_directory = False
    if not is_directory:
        raise PaasError("fetch-failed", "A buildpack that was fetched is no directory.")
