"""What the tests of fetching work with: an importer, an app's repository, repositories."""

import io
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from paas.adapters.builds.importer import SandboxImporter
from paas.adapters.git.repository import DulwichRepository
from paas.domain.git.credentials import NO_ACCESS, FetchAccess, HostKey
from paas.domain.git.sources import ArchiveType, GitSource
from paas.interfaces import Archive
from paas.settings import Settings
from tests.contract.builds import building
from tests.contract.builds.building import an_app

APP = an_app(1)
MIB = 1024**2


@dataclass
class Desk:
    """An importer, the app's repository, and a git server elsewhere."""

    root: Path
    settings: Settings
    repository: DulwichRepository
    importer: SandboxImporter
    address: str
    shelf: Path
    lines: list[str]
    host_keys: tuple[HostKey, ...] = ()

    def hear(self, line: bytes) -> None:
        self.lines.append(line.decode())

    def sync(self, url: str, ref: str | None = None, access: FetchAccess = NO_ACCESS) -> str:
        """Fetch and keep as main; the commit."""
        head = self.repository.head(APP.id, "main")
        source = GitSource(url, ref)
        with self.importer.fetched(APP, source, access, head, self.hear) as imported:
            self.host_keys = imported.host_keys
            self.importer.keep(APP.id, imported, "main")
            return imported.commit

    def unpack(
        self, source: str | bytes, kind: ArchiveType | None = None, keep: bool = True
    ) -> dict[str, bytes]:
        """Take an archive; its files, links as ``-> target``."""
        head = self.repository.head(APP.id, "main")
        content: str | BinaryIO = source if isinstance(source, str) else io.BytesIO(source)
        archive = Archive(content, kind, "alice <alice@example.com>", "An archive")
        with self.importer.unpacked(APP, archive, head, self.hear) as imported:
            target = self.root / f"tree-{imported.commit}"
            target.mkdir(exist_ok=True)
            self.repository.write_tree(
                APP.id, imported.commit, imported.quarantine, target, os.getuid()
            )
            if keep:
                self.importer.keep(APP.id, imported, "main")
        return files_in(target)

    def git(self, *words: str) -> str:
        """git in the app's repository."""
        path = self.repository.path(APP.id)
        return git(path, f"--git-dir={path}", *words)


def git(at: Path, *words: str) -> str:
    """git with nobody's settings; what it printed."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_CONFIG_KEY_1": "protocol.file.allow",
        "GIT_CONFIG_VALUE_1": "always",
        "GIT_CONFIG_KEY_2": "init.defaultBranch",
        "GIT_CONFIG_VALUE_2": "main",
        **{f"GIT_{who}_NAME": "Bob" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "bob@example.com" for who in ("AUTHOR", "COMMITTER")},
    }
    argv = ["git", *words]
    done = subprocess.run(argv, cwd=at, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(work: Path, files: Mapping[str, str]) -> str:
    """A commit of these files in a work tree that is made where it is missing."""
    if not (work / ".git").exists():
        work.mkdir(parents=True, exist_ok=True)
        git(work, "init", "-q")
    for name, text in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    git(work, "add", "-A")
    git(work, "commit", "-q", "--allow-empty", "-m", "A change")
    return git(work, "rev-parse", "HEAD")


def files_in(folder: Path) -> dict[str, bytes]:
    """Everything below a folder; links as ``-> target``."""
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}".encode()
        if path.is_symlink()
        else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def open_desk(root: Path, elsewhere: tuple[Path, str, Path]) -> Desk:
    """All of it, in directories that an app's uid may pass. elsewhere: of git_https.serving."""
    for folder in (root, *root.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o111)
    shelf = elsewhere[0] / root.name
    shelf.mkdir()
    believed = {"GIT_SSL_CAINFO": str(elsewhere[2]), "CURL_CA_BUNDLE": str(elsewhere[2])}
    settings = replace(
        building.server(root / "server"),
        build_env=believed,
        max_push_mib=4,
        max_tree_mib=8,
        max_tree_files=50,
    )
    owner = (APP.uid + 20_000, APP.uid + 20_000)
    repository = DulwichRepository(
        settings.state / "git", owner, max_bytes=64 * MIB, max_files=1000
    )
    (settings.state / "git").mkdir()
    repository.create(APP.id)
    importer = SandboxImporter(settings, settings.state / "git", owner)
    address = f"{elsewhere[1]}/{root.name}"
    return Desk(root, settings, repository, importer, address, shelf, [])


def published(desk: Desk, name: str, work: Path) -> str:
    """The address of a work tree's copy on the server elsewhere."""
    bare = desk.shelf / f"{name}.git"
    if bare.exists():
        git(work, "push", "-q", "--all", "--force", str(bare))
        git(work, "push", "-q", "--tags", "--force", str(bare))
    else:
        git(work, "clone", "-q", "--bare", str(work), str(bare))
    return f"{desk.address}/{name}.git"
