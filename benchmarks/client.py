"""The laptop's side: an ssh key, and a git repository whose commits are pushed."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.commands import ENVIRONMENT, BenchError, run

MARK = "from Flask!"
IDENTITY = {
    "GIT_AUTHOR_NAME": "Bench",
    "GIT_AUTHOR_EMAIL": "bench@example.com",
    "GIT_COMMITTER_NAME": "Bench",
    "GIT_COMMITTER_EMAIL": "bench@example.com",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


class Key:
    """An ssh key, and how to use it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known_hosts = path.with_name("known_hosts")
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", path])

    @property
    def public(self) -> str:
        """The line for authorized_keys."""
        return self._path.with_suffix(".pub").read_text()

    def trust(self, port: int, host_key: Path) -> None:
        """Add the host key of the sshd on a port of this machine."""
        kind, body, *_ = host_key.read_text().split()
        with self._known_hosts.open("a") as file:
            file.write(f"[127.0.0.1]:{port} {kind} {body}\n")

    def ssh(self, port: int) -> list[str]:
        """The words up to the remote command."""
        return [*self._ssh(), "-p", str(port), "paas@127.0.0.1"]

    def git_environment(self) -> dict[str, str]:
        """The environment in which git uses this key."""
        return {**ENVIRONMENT, **IDENTITY, "GIT_SSH_COMMAND": " ".join(self._ssh())}

    def _ssh(self) -> list[str]:
        options = {
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self._known_hosts),
            "GlobalKnownHostsFile": os.devnull,
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "LogLevel": "ERROR",
        }
        words = ["ssh", "-T", "-F", os.devnull, "-i", str(self._path)]
        return words + [f"-o{name}={value}" for name, value in options.items()]


class Repository:
    """A git repository on the laptop, whose commits are pushed."""

    def __init__(self, path: Path, key: Key) -> None:
        self.path = path
        self._env = key.git_environment()
        path.mkdir()
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("config", "gc.auto", "0")

    def save(self, message: str) -> None:
        """Commit all files."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)

    def configure(self, name: str, value: str) -> None:
        """Set one of git's settings for it."""
        self._git("config", name, value)

    def push(self, url: str) -> float:
        """Push to that repository; returns the seconds that it took."""
        argv = ["git", "push", "--quiet", url, "main"]
        started = time.perf_counter()
        done = subprocess.run(
            argv, cwd=self.path, env=self._env, capture_output=True, text=True, check=False
        )
        took_s = time.perf_counter() - started
        if done.returncode:
            raise BenchError(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
        return took_s

    def _git(self, *words: str) -> None:
        run(["git", *words], cwd=self.path, env=self._env)


class Project(Repository):
    """A copy of an example, as flask-hello. Each commit changes the line with its page's text."""

    def __init__(self, example: Path, path: Path, key: Key) -> None:
        super().__init__(path, key)
        self._example = example
        self._count = 0
        for source in sorted(example.iterdir()):
            if source.is_file():
                (path / source.name).write_bytes(source.read_bytes())
            else:
                shutil.copytree(source, path / source.name)
        self.commit()

    @property
    def mark(self) -> str:
        """The text that only the current commit's page has."""
        return f"{MARK} Commit {self._count} of {self.path.name}."

    def commit(self) -> None:
        """Change one line and commit it."""
        self._count += 1
        text = (self._example / "app.py").read_text()
        if MARK not in text:
            raise BenchError(f"{self._example}/app.py does not say {MARK!r}.")
        (self.path / "app.py").write_text(text.replace(MARK, self.mark))
        self.save(self.mark)
