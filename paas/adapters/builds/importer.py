"""Commits from elsewhere: fetched in the sandbox, then checked as a push is, by git itself.

The sandbox hands over one pack, a file that the app's uid owns. git index-pack reads it as the
platform's account, with the object checks and the size limit of a push, into a quarantine next to
the repository's own objects. So root reads nothing that another server sent before git has checked
it.
"""

import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from paas.adapters.builds.fetch_sandbox import (
    FetchSandbox,
    Job,
    copied,
    new_host_keys,
    workspaces_of,
)
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.system import files, subprocesses
from paas.domain.apps.apps import App
from paas.domain.git import access as git_access
from paas.domain.git.credentials import NO_ACCESS, FetchAccess
from paas.domain.git.sources import GitSource
from paas.domain.values.errors import PaasError, ProgramFailedError
from paas.interfaces import Archive, Imported, Quarantine
from paas.settings import Settings

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_INDEX_LIMIT_S: Final = 600.0
_EMPTY_PACK_BYTES: Final = 32
# The index comes last: git finds packs by it.
_KINDS: Final = (".keep", ".pack", ".rev", ".idx")


class SandboxImporter:
    """`Importer` of interfaces. owner: uid and gid of the platform's account."""

    def __init__(self, settings: Settings, repositories: Path, owner: tuple[int, int]) -> None:
        self._settings = settings
        self._repositories = repositories
        self._owner = owner
        self._sandbox = FetchSandbox(settings)
        self._cgroups = Cgroups(settings)

    @contextmanager
    def fetched(
        self,
        app: App,
        source: GitSource,
        access: FetchAccess,
        head: str | None,
        output: Callable[[bytes], None],
    ) -> Iterator[Imported]:
        """A commit of a git repository; see interfaces.Importer."""
        what = {"kind": "git", "url": source.url, "ref": source.ref, "head": head}
        with self._quarantine(app.id) as quarantine:
            with self._sandbox.workspace(app, workspaces_of(app.id)[0]) as out:
                commit, answer = self._run(app, out, what, output, access)
                self._index(app.id, out, quarantine)
            yield Imported(commit, Quarantine(quarantine), new_host_keys(answer, access))

    @contextmanager
    def unpacked(
        self, app: App, archive: Archive, head: str | None, output: Callable[[bytes], None]
    ) -> Iterator[Imported]:
        """A commit of an archive's files; see interfaces.Importer."""
        settings = self._settings
        max_bytes = settings.max_push_mib * 1024**2
        what = {
            "kind": "archive",
            "url": archive.source if isinstance(archive.source, str) else None,
            "type": archive.kind,
            "sha256": archive.sha256,
            "head": head,
            "author": archive.author,
            "message": archive.message,
            "max_download_bytes": max_bytes,
            "max_files": settings.max_tree_files,
            "max_bytes": settings.max_tree_mib * 1024**2,
        }
        with self._quarantine(app.id) as quarantine:
            with self._sandbox.workspace(app, workspaces_of(app.id)[0]) as out:
                if not isinstance(archive.source, str):
                    copied(archive.source, out / "archive", max_bytes, app.uid)
                commit, _ = self._run(app, out, what, output)
                self._index(app.id, out, quarantine)
            yield Imported(commit, Quarantine(quarantine))

    def keep(self, app_id: int, imported: Imported, branch: str) -> None:
        """Make a commit the tip of a branch; see interfaces.Importer."""
        target = self._path(app_id) / "objects/pack"
        source = imported.quarantine.objects / "pack"
        found = list(source.glob("pack-*")) if source.is_dir() else []
        for kind in _KINDS:
            for path in found:
                if path.suffix == kind:
                    path.rename(target / path.name)
        if found:
            files.sync_directory(target)
        plan = git_access.update_ref(
            str(self._path(app_id)), f"refs/heads/{branch}", imported.commit
        )
        self._git(plan, f"Moving the branch {branch}")

    def left(self, app_id: int) -> bool:
        """See interfaces.Importer."""
        return self._sandbox.left(app_id)

    def clear(self, app_id: int) -> bool:
        """Remove what an interrupted fetch left; see interfaces.Importer."""
        return self._sandbox.clear(app_id)

    def _run(
        self,
        app: App,
        out: Path,
        what: dict[str, Any],
        output: Callable[[bytes], None],
        access: FetchAccess = NO_ACCESS,
    ) -> tuple[str, dict[str, Any]]:
        """Do a job; the commit, and all that it answered."""
        job = Job(
            app,
            out,
            out,
            what,
            f"fetch-{app.id}",
            self._cgroups.for_fetch(str(app.id)),
            self._path(app.id) if what["head"] else None,
            access,
        )
        answer = self._sandbox.run(job, output)
        commit = str(answer.get("commit"))
        if not _COMMIT.fullmatch(commit):
            raise PaasError("fetch-failed", "What was fetched has no commit.")
        return commit, answer

    def _index(self, app_id: int, out: Path, quarantine: Path) -> None:
        """Have git check and take the pack of a job."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            pack = os.open(out / "pack", flags)
        except OSError as error:
            raise PaasError("fetch-failed", "Nothing was fetched.") from error
        try:
            found = os.fstat(pack)
            if not stat.S_ISREG(found.st_mode):
                raise PaasError("fetch-failed", "What was fetched is not a file.")
            if found.st_size <= _EMPTY_PACK_BYTES:
                return  # the repository has everything
            limit = self._settings.max_push_mib
            repository = str(self._path(app_id))
            plan = git_access.index_pack(repository, str(quarantine), max_push_mib=limit)
            self._git(plan, "Checking what was fetched", pack)
        except ProgramFailedError as error:
            raise PaasError(
                "fetch-refused",
                f"The fetched commit is refused. {error.message}",
                "Run git fsck in that repository to see what is wrong with it.",
                context=error.context,
            ) from error
        finally:
            os.close(pack)

    def _git(
        self,
        plan: tuple[tuple[str, ...], dict[str, str]],
        description: str,
        stdin: int | None = None,
    ) -> None:
        """Run git as the platform's account."""
        argv, env = plan
        uid, gid = self._owner
        subprocesses.run(
            ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *argv],
            description=description,
            timeout_s=_INDEX_LIMIT_S,
            env=env,
            cwd=Path("/"),
            stdin=b"" if stdin is None else stdin,
        )

    @contextmanager
    def _quarantine(self, app_id: int) -> Iterator[Path]:
        """A directory for objects, by a name that reconcile removes if this process is killed."""
        path = self._path(app_id) / f"objects/tmp_objdir-incoming-{secrets.token_hex(4)}"
        files.make_directory(path, mode=0o755, owner=self._owner)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def _path(self, app_id: int) -> Path:
        return self._repositories / f"{app_id}.git"
