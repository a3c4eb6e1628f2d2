"""A commit's files, complete: with those of its submodules, and with Git LFS content."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paas.domain.apps.apps import App
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName, printable
from paas.interfaces import Progress, Quarantine, Repository, Submodules
from paas.services.git.credentials import GitCredentials
from paas.store import Store

# Git LFS's own name for leaving pointers as they are: https://github.com/git-lfs/git-lfs
LFS_SKIP = VarName("GIT_LFS_SKIP_SMUDGE")
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Writes the files that are built."""

    store: Store
    repository: Repository
    submodules: Submodules
    credentials: GitCredentials

    def write(
        self,
        app: App,
        commit: str,
        quarantine: Quarantine | None,
        target: Path,
        progress: Progress,
    ) -> None:
        """Write a commit's files into the empty directory of a build. Raises PaasError."""
        with progress.doing("reading the commit"):
            written = self.repository.write_tree(app.id, commit, quarantine, target, app.uid)
        if written.files == 0:
            raise PaasError("empty-tree", "The commit has no files.", "Commit your app's files.")
        if written.lfs_pointers:
            self._judge_pointers(app, written.lfs_pointers, progress)
        if written.submodules:
            progress.step("Fetching submodules")
            with progress.doing("fetching submodules"):
                access = self.credentials.of(app)
                learned = self.submodules.fetch(
                    app, target, written.submodules, access, progress.output, progress.check
                )
            self.credentials.learn(app, learned, progress)

    def _judge_pointers(self, app: App, pointers: Sequence[str], progress: Progress) -> None:
        release = self.store.releases.current(app)
        skipped = release.config.get(LFS_SKIP) if release else None
        names = ", ".join(map(printable, pointers[:_NAMED]))
        more = f" and {len(pointers) - _NAMED} more" if len(pointers) > _NAMED else ""
        if skipped is not None and skipped.reveal().lower() in {"1", "true", "yes", "on"}:
            progress.warn(f"Built with Git LFS pointers, as {LFS_SKIP} is set: {names}{more}")
            return
        raise PaasError(
            "lfs-pointers",
            f"The content of {len(pointers)} {'file' if len(pointers) == 1 else 'files'} in Git "
            f"LFS was not pushed; the commit has only pointers: {names}{more}.",
            "git lfs install && git lfs fetch --all && git lfs push --all deploy, then push again "
            "(Git LFS 3.0 or later); or put them into git itself: git lfs migrate export "
            "--everything --include='*'. If the app does not need them: "
            f"paas config:set {LFS_SKIP}=1 -a {app.name}",
        )
