"""Parses an SSH command: one git service on one app, or words for the command line.

Two rules about control characters. A newline or carriage return may be inside quotes of a command
for the CLI, because values of config vars contain them; anywhere else, and for git, they are
refused. Every other control character is refused everywhere.
"""

import re
from dataclasses import dataclass

from paas.domain.git.access import LFS_TRANSFER, SERVICES
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import AppName, app_name, shown

HOOK_COMMAND = "git:hook"
_FILE_TRANSFER = frozenset({"scp", "rsync", "sftp", "sftp-server", "internal-sftp"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# One piece of a shell word (POSIX 2018, Shell Command Language, 2.2 Quoting), without expansions.
_PIECE = re.compile(
    r"""(?P<space>[ \t]+)
      | (?P<plain>[^ \t\r\n'"\\]+)
      | '(?P<single>[^']*)'
      | "(?P<double>[^"\\]*(?:\\.[^"\\]*)*)"
      | \\(?P<escaped>[^\r\n])""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class GitRequest:
    """A git service asked for over SSH. app: valid as a name; whether it exists is not known."""

    service: str
    app: AppName


def parse(command: str | None) -> GitRequest | tuple[str, ...]:
    """Read SSH_ORIGINAL_COMMAND. Raises PaasError (exit 2) for what nobody may run."""
    words = split(command or "")
    if not words:
        return ("help",)
    if words[0] == "git" and len(words) > 1 and f"git-{words[1]}" in SERVICES:
        words = [f"git-{words[1]}", *words[2:]]
    if words[0] in SERVICES:
        return _git_request(words)
    if words[0].rpartition("/")[2] in _FILE_TRANSFER:
        raise usage_error(
            "no-file-transfer",
            "Files cannot be copied over this connection: code arrives with git push.",
            "git push deploy main",
        )
    if words[0] == LFS_TRANSFER:
        return _lfs_request(words)
    if words[0] == "git-lfs-authenticate":
        raise usage_error(
            "lfs-objects",
            "Git LFS objects come over ssh itself here, which takes Git LFS 3.0 or later.",
            "Upgrade it (git lfs version); if lfs.sshtransfer is set to never: git config --unset "
            "lfs.sshtransfer",
        )
    if words[0] == HOOK_COMMAND:
        raise usage_error("ssh-command", f"{HOOK_COMMAND} runs only inside a push.")
    return tuple(words)


def split(command: str) -> list[str]:
    """Split a command into words as a shell does, expanding nothing."""
    if _CONTROL.search(command):
        raise usage_error("ssh-control-character", "The command contains a control character.")
    words: list[str] = []
    pieces: list[str] = []
    at = 0
    while at < len(command):
        piece = _PIECE.match(command, at)
        if piece is None:
            raise _not_readable(command[at:])
        if piece.lastgroup == "space":
            if pieces:
                words.append("".join(pieces))
            pieces = []
        elif piece.lastgroup == "double":
            pieces.append(re.sub(r'\\([$`"\\])|\\\n', r"\1", piece["double"]))
        else:
            pieces.append(piece[piece.lastgroup or 0])
        at = piece.end()
    if pieces:
        words.append("".join(pieces))
    return words


def _not_readable(rest: str) -> PaasError:
    """Why the command cannot be split at this place."""
    if rest[0] in "'\"":
        return usage_error("ssh-quoting", f"The command has an unclosed quote: {shown(rest)}")
    if rest == "\\":
        return usage_error("ssh-quoting", "The command ends with a lone backslash.")
    return usage_error("ssh-control-character", "The command contains a newline outside of quotes.")


def _lfs_request(words: list[str]) -> GitRequest:
    """https://github.com/git-lfs/git-lfs/blob/main/docs/proposals/ssh_adapter.md"""
    if len(words) != 3 or words[2] not in {"upload", "download"}:
        raise usage_error("git-path", f"{words[0]} takes an app's name, and upload or download.")
    return GitRequest(f"{LFS_TRANSFER} {words[2]}", _git_request(words[:2]).app)


def _git_request(words: list[str]) -> GitRequest:
    """A git service takes exactly one path, which names an app."""
    if len(words) != 2:
        raise usage_error("git-path", f"{words[0]} takes one path, the app's name.")
    path = words[1]
    for prefix in ("~/", "/"):
        if path.startswith(prefix):
            path = path[len(prefix) :]
            break
    return GitRequest(words[0], app_name(path.removesuffix(".git")))
