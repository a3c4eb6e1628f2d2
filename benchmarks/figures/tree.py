"""Writing out the tree of a repository with 10,000 files."""

import json
import random
import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.client import IDENTITY
from benchmarks.commands import ENVIRONMENT, BenchError, run
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared

ROUNDS = 7
FOLDERS, FILES = 100, 100
ENV = {**ENVIRONMENT, **IDENTITY}


class TreeOfManyFiles:
    """Against `git archive | tar x` on the same file system."""

    name = "tree"

    def measure(self, bench: Bench) -> list[Row]:
        """Write alternately, each time into a new directory after a sync."""
        room = bench.folder("tree")
        commit = make_repository(room)
        git = room / "git"
        ours, plain = [], []
        for number in range(bench.rounds(ROUNDS)):
            target = room / f"plain-{number}"
            wait_for_quiet()
            plain.append(_archive(git / "1.git", commit, target))
            uid = str(bench.server.uids[-1])
            words = (git, "1", room / "incoming", commit, room / f"ours-{number}", uid)
            found = json.loads(bench.inside("write_tree.py", *words))
            if found["files"] < FOLDERS * FILES:
                raise BenchError(f"Only {found['files']} files were written.")
            ours.append(found["seconds"])
            run(["rm", "-rf", target, room / f"ours-{number}"])
        title = f"writing out {FOLDERS * FILES} files"
        most = Target(Rule.RATIO_AT_MOST, 1.5)
        return [compared(self.name, title, "s", ours, plain, most)]


def make_repository(room: Path) -> str:
    """Create git/1.git below room, as pushes leave it: a pack with all files but one.

    The last commit's objects are also in incoming/, as during its push. Returns that commit.
    """
    random.seed(1)
    source, bare = room / "source", room / "git/1.git"
    for folder in range(FOLDERS):
        path = source / f"package{folder}"
        path.mkdir(parents=True)
        for file in range(FILES):
            words = (f"{random.getrandbits(64):x}" for _ in range(random.randrange(20, 250)))
            (path / f"module{file}.py").write_text("\n".join(words))
    run(["git", "init", "--quiet", "--initial-branch=main", source], env=ENV)
    run(["git", "add", "--all"], cwd=source, env=ENV)
    run(["git", "commit", "--quiet", "--message", "Many files"], cwd=source, env=ENV)
    run(["git", "init", "--quiet", "--bare", "--initial-branch=main", bare], env=ENV)
    run(["git", "push", "--quiet", bare, "main"], cwd=source, env=ENV)
    run(["git", "repack", "-adq"], cwd=source, env=ENV)
    (source / "package0/module0.py").write_text("changed\n")
    run(["git", "commit", "--quiet", "--all", "--message", "One"], cwd=source, env=ENV)
    shutil.copytree(source / ".git/objects", room / "incoming")
    shutil.rmtree(room / "incoming/pack")
    (room / "incoming/pack").mkdir()
    run(["git", "push", "--quiet", bare, "main"], cwd=source, env=ENV)
    return run(["git", "rev-parse", "HEAD"], cwd=source, env=ENV).strip()


def _archive(repository: Path, commit: str, target: Path) -> float:
    target.mkdir()
    run(["sync"])
    started = time.perf_counter()
    argv = ["git", "--git-dir", str(repository), "archive", commit]
    with subprocess.Popen(argv, env=ENV, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "x", "-C", str(target)], stdin=archive.stdout, check=True)
    return time.perf_counter() - started
