"""Someone who pushes with real git, through the client and the gate, as the platform's account.

GIT_SSH_COMMAND stands in for sshd: it runs the forced command with SSH_ORIGINAL_COMMAND.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contract.gate.gate_world import ACCOUNT, ADDRESS, LIMIT_S, World, world

IDENTITY = {
    "GIT_AUTHOR_NAME": "Alice",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "Alice",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}

KEY = "SHA256:" + "k" * 43


class Pusher:
    """A work tree of alice, and the repository ``shop`` on the server."""

    def __init__(self, made: World) -> None:
        self.world = made
        self.repository = made.root / "shop.git"
        self.tree = made.root / "home" / "tree"
        lock = made.root / "locks" / "shop"
        lock.touch(mode=0o660)
        os.chown(lock, 0, ACCOUNT)
        lock.chmod(0o660)
        ssh = made.root / "ssh"
        forced = " ".join(made.argv("--as", "alice", "--key", KEY))
        ssh.write_text(
            "#!/bin/bash\nwhile [[ $1 == -* ]]; do shift 2; done\n"
            f"export SSH_CONNECTION='{ADDRESS} 50000 192.0.2.1 22'\n"
            f'SSH_ORIGINAL_COMMAND="$2" exec {forced}\n'
        )
        ssh.chmod(0o755)
        self.env = {
            **IDENTITY,
            "PATH": "/usr/bin:/bin",
            "HOME": str(made.root / "home"),
            "GIT_SSH_COMMAND": str(ssh),
            "GIT_SSH_VARIANT": "ssh",
        }
        self.run(
            "git",
            "init",
            "-q",
            "--bare",
            "-b",
            "main",
            str(self.repository),
            cwd=made.root / "home",
        )
        self.run("git", "init", "-q", "-b", "main", str(self.tree), cwd=made.root / "home")
        self.git("remote", "add", "deploy", "paas@server:shop")
        self.commit("one")

    def run(self, *argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program as the account."""
        return subprocess.run(argv, cwd=cwd, timeout=LIMIT_S, **self.options())

    def options(self) -> dict[str, Any]:
        """Of a subprocess as the account."""
        return {
            "env": self.env,
            "user": ACCOUNT,
            "group": ACCOUNT,
            "extra_groups": [],
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "text": True,
        }

    def git(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run git in the work tree."""
        return self.run("git", *words, cwd=self.tree)

    def commit(self, text: str) -> str:
        """Add a commit; its id."""
        (self.tree / "file").write_text(text)
        shutil.chown(self.tree / "file", ACCOUNT)
        self.git("add", "file")
        self.git("commit", "-q", "-m", text)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def head(self, branch: str = "main") -> str:
        """Where a branch of the server's repository is; empty where it is not."""
        path = self.repository / "refs" / "heads" / branch
        return path.read_text().strip() if path.exists() else ""

    def start_push(self, refspec: str, output: Path) -> subprocess.Popen[str]:
        """Start a push whose output goes to a file."""
        with output.open("w") as file:
            options = {**self.options(), "stdout": file}
            argv = ["git", "push", "deploy", refspec]
            return subprocess.Popen(argv, cwd=self.tree, **options)


@contextmanager
def pushing() -> Iterator[Pusher]:
    """A gate, a repository and someone who pushes to it."""
    with world() as made:
        made.root.chmod(0o777)
        made.start()
        yield Pusher(made)
