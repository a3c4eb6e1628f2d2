"""The files of other repositories: submodules at the commits that are recorded, and buildpacks.

Each is fetched into a repository beside the tree, and only its files are put into the tree.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paas.domain.git.sources import SUBMODULE_DEPTH_MAX, SUBMODULES_MAX, check_submodule_url
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.entrypoints.fetcher.access import Access
from paas.entrypoints.fetcher.git import Repository

MODULES = ".gitmodules"
_LINK_MODE = b"160000"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits for all submodules of an app together."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Submodule:
    """One submodule. path: from the app's top. depth: how many contain it; 0: a buildpack."""

    name: str
    path: str
    url: str
    commit: str
    depth: int

    @property
    def words(self) -> str:
        """What it is called in messages."""
        return f"The submodule {shown(self.path)}" if self.depth else f"The buildpack {self.url}"


class Tree:
    """The app's files in the sandbox. out: a directory for what is fetched."""

    def __init__(
        self,
        top: Path,
        out: Path,
        limits: Limits,
        access: Access = Access(),  # noqa: B008 - a value
    ) -> None:
        self._top = top
        self._out = out
        self._limits = limits
        self._access = access
        self._count = 0
        self._files = 0
        self._size_bytes = 0

    def fill(self, links: Mapping[str, str]) -> None:
        """Fetch the submodules at these paths, at these commits, with their own submodules.

        Raises PaasError, before anything is fetched, for one that is not allowed.
        """
        if len(links) > SUBMODULES_MAX:
            raise _too_many(max(links))
        here = Repository.make(self._out / "none.git")
        config = here.run(
            ["config", "--file", str(self._top / MODULES), "-z", "--list"], check=False
        )
        self._fetch_all(self._declared(config.stdout, links, "", 1))

    def put(self, path: str, url: str, ref: str | None) -> None:
        """Write a repository's files into a folder of the tree, with those of its submodules."""
        self._count += 1
        print(f"       {url}", flush=True)
        repository = Repository.make(self._out / f"{self._count}.git", access=self._access)
        commit = repository.fetch_ref(url, ref)
        self._fetch_all(self._placed(repository, Submodule(path, path, url, commit, 0)))

    def _fetch_all(self, pending: list[Submodule]) -> None:
        while pending:
            submodule = pending.pop(0)
            pending += self._fetch(submodule)

    def _fetch(self, submodule: Submodule) -> list[Submodule]:
        """Write one into the tree; returns its own submodules."""
        self._count += 1
        if self._count > SUBMODULES_MAX or submodule.depth > SUBMODULE_DEPTH_MAX:
            raise _too_many(submodule.path)
        print(f"       {submodule.path}: {submodule.commit[:8]} of {submodule.url}", flush=True)
        repository = Repository.make(self._out / f"{self._count}.git", access=self._access)
        if not repository.fetch_commit(submodule.url, submodule.commit):
            raise PaasError(
                "submodule-commit",
                f"The submodule {shown(submodule.path)} is recorded at {submodule.commit[:8]}, "
                f"which {submodule.url} does not have: it was never pushed there, or was removed.",
                f"In {submodule.path}: git push origin HEAD:main; then push the app again.",
            )
        return self._placed(repository, submodule)

    def _placed(self, repository: Repository, submodule: Submodule) -> list[Submodule]:
        """Write what was fetched into the tree; returns its own submodules."""
        links = self._check_out(repository, submodule)
        place = f"{submodule.commit}:{MODULES}"
        config = repository.run(["config", "--blob", place, "-z", "--list"], check=False)
        # Deleted one by one: each may be as large as a push.
        shutil.rmtree(repository.path)
        return self._declared(config.stdout, links, submodule.path, submodule.depth + 1)

    def _declared(
        self, config: bytes, links: Mapping[str, str], folder: str, depth: int
    ) -> list[Submodule]:
        has_key = self._access.key is not None
        return _declared(config, links, folder, depth, has_key=has_key)

    def _check_out(self, repository: Repository, submodule: Submodule) -> dict[str, str]:
        """Write its files; returns its own submodules, by path."""
        links = {}
        listing = repository.run(["ls-tree", "-r", "-z", "--long", submodule.commit])
        for entry in listing.stdout.split(b"\0")[:-1]:
            head, _tab, path = entry.partition(b"\t")
            mode, _kind, object_id, size = head.split()
            self._files += 1
            if mode == _LINK_MODE:
                links[path.decode("utf-8", "surrogateescape")] = object_id.decode()
            else:
                self._size_bytes += int(size)
        if self._files > self._limits.files or self._size_bytes > self._limits.size_bytes:
            raise PaasError(
                "tree-too-large",
                f"{submodule.words} makes the app too large: what is fetched for it may have "
                f"{self._limits.files} files and {self._limits.size_bytes // 1024**2} MiB together "
                "(settings max_tree_files, max_tree_mib).",
                f"Remove what the app does not need: git rm {shown(submodule.path)}"
                if submodule.depth
                else "See: paas buildpacks",
            )
        target = self._top / submodule.path
        target.mkdir(parents=True, exist_ok=True)
        repository.run(["read-tree", submodule.commit])
        repository.run([f"--work-tree={target}", "checkout-index", "--all", "--force"])
        return links


def _declared(
    config: bytes, links: Mapping[str, str], folder: str, depth: int, *, has_key: bool
) -> list[Submodule]:
    """The entries of .gitmodules for the submodules at these paths of a folder.

    config: as ``git config -z --list`` prints it.
    """
    by_name: dict[str, dict[str, str]] = {}
    for entry in config.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        key, _newline, value = entry.partition("\n")
        section, _, rest = key.partition(".")
        name, _, variable = rest.rpartition(".")
        if section == "submodule" and name:
            by_name.setdefault(name, {})[variable] = value
    by_path = {
        found["path"].rstrip("/"): name for name, found in by_name.items() if "path" in found
    }
    wanted = []
    for path, commit in links.items():
        whole = f"{folder}/{path}" if folder else path
        found = by_path.get(path)
        if found is None:
            raise _undeclared(whole)
        url = by_name[found].get("url", "")
        check_submodule_url(found, url, has_key=has_key)
        wanted.append(Submodule(found, whole, url, commit, depth))
    return wanted


def _too_many(path: str) -> PaasError:
    return PaasError(
        "submodules-too-many",
        f"The submodule {shown(path)} exceeds the limit: at most {SUBMODULES_MAX},  "
        f"nested {SUBMODULE_DEPTH_MAX} deep, are fetched.",
        f"Remove some: git rm {shown(path)}",
    )


def _undeclared(path: str) -> PaasError:
    return PaasError(
        "submodule-undeclared",
        f"{shown(path)} is a separate git repository inside yours, and .gitmodules does not "
        "say where it comes from: none of its files were pushed.",
        f"To commit its files: git rm --cached {shown(path)}; delete its .git; git add "
        f"{shown(path)}. To add it as a submodule: git submodule add URL {shown(path)}",
    )
