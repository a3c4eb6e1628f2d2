"""The pre-receive hook of a push: refuses what is incomplete, then asks the gate to deploy it."""

from __future__ import annotations

import os

from paas.entrypoints.gate_client import link
from paas.entrypoints.gate_client.pushtrace import is_complete

_INCOMPLETE = b"""\
 !     This push is incomplete: a folder or file that its commits refer to is missing from the push
 !     and from the server, so it cannot be stored. Find what is missing in your repository:
 !
 !     git fsck --full
"""
_SHALLOW = b"""\
 !     This is a push from a shallow clone: the history before its first commits is missing,
 !     so the server cannot store it. Fetch the full history, then push again:
 !
 !     git fetch --unshallow && git push deploy main
 !
 !     In GitHub Actions: actions/checkout with fetch-depth: 0. In GitLab CI: GIT_DEPTH: 0.
"""


def main() -> int:
    """The hook's exit status. Its stdin has a line for each ref: OLD NEW REF (githooks(5))."""
    told = b""
    while part := os.read(0, 65_536):
        told += part
    pushed = [line.split(b" ", 2)[1] for line in told.splitlines()]
    commits = [commit for commit in pushed if commit.strip(b"0")]
    # Git would let the deploy happen first, and reject the missing history or files afterwards.
    if commits and not is_complete(os.environ) and not _connected(commits, "--objects"):
        os.write(2, _INCOMPLETE if _connected(commits) else _SHALLOW)
        return 1
    os.dup2(_file(told), 0)
    return link.main(os.environ["PAAS_ETC"], ["--hook"])


def _connected(commits: list[bytes], *options: str) -> bool:
    """Whether everything that the push refers to exists.

    As git checks it before the hook and once more at the end (check_connected in its connected.c).
    """
    listed = _file(b"".join(commit + b"\n" for commit in commits))
    argv = ["git", "rev-list", "--quiet", *options, "--stdin", "--not", "--all"]
    streams = [
        (os.POSIX_SPAWN_DUP2, listed, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    git = os.posix_spawnp(argv[0], argv, os.environ, file_actions=streams)
    os.close(listed)
    return os.waitpid(git, 0)[1] == 0


def _file(content: bytes) -> int:
    """A descriptor from which that can be read."""
    fd = os.memfd_create("lines", os.MFD_CLOEXEC)
    rest = content
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
