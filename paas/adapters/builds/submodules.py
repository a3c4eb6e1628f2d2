"""An app's submodules, fetched in the sandbox before its build."""

from collections.abc import Callable, Mapping
from pathlib import Path

from paas.adapters.builds.fetch_sandbox import (
    FetchSandbox,
    Job,
    new_host_keys,
    workspaces_of,
)
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.apps.apps import App
from paas.domain.git.credentials import FetchAccess, HostKey
from paas.settings import Settings


class SandboxSubmodules:
    """`Submodules` of interfaces. In the cgroup of the app's build: one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sandbox = FetchSandbox(settings)
        self._cgroups = Cgroups(settings)

    def fetch(
        self,
        app: App,
        tree: Path,
        links: Mapping[str, str],
        access: FetchAccess,
        output: Callable[[bytes], None],
        check: Callable[[], None],
    ) -> tuple[HostKey, ...]:
        """Put the submodules' files into the tree; see interfaces.Submodules."""
        what = {
            "kind": "submodules",
            "tree": "/app",
            "links": dict(links),
            "max_files": self._settings.max_tree_files,
            "max_bytes": self._settings.max_tree_mib * 1024**2,
        }
        cgroups = self._cgroups.for_build(str(app.id))
        with self._sandbox.workspace(app, workspaces_of(app.id)[1]) as out:
            job = Job(app, out, tree, what, f"build-{app.id}", cgroups, access=access)
            return new_host_keys(self._sandbox.run(job, output, check), access)
