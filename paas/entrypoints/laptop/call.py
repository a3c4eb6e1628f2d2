"""A command for a server: which server, which app, and the ssh command."""

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from paas.domain.values.errors import PaasError, usage_error
from paas.entrypoints.gate_client import editing
from paas.entrypoints.gate_client.link import TOKEN
from paas.entrypoints.laptop import remotes, running
from paas.entrypoints.laptop.remotes import REMOTE, Remote, Server

APP_VALUED = ("-a", "--app")
_REMOTE_OPTIONS = ("-r", "--remote")


@dataclass(frozen=True, slots=True)
class Typed:
    """A command line. address: of --server; remote: of --remote; words: all the rest."""

    address: str | None
    remote: str | None
    words: list[str]


@dataclass(frozen=True, slots=True)
class Call:
    """One command for a server.

    app: what the git remote names, where no -a was typed. remote: that git remote.
    """

    server: Server
    app: str | None
    words: tuple[str, ...]
    remote: str = REMOTE

    def argv(self) -> list[str]:
        """The ssh command; the words are quoted for the shell-like parser on the server."""
        port = ["-p", str(self.server.port)] if self.server.port else []
        app = ["--app", self.app] if self.app else []
        words = shlex.join([*running.seen_as(self.words), *app, *self.words])
        terminal = running.ssh_options(self.words)
        token = ["-o", f"SendEnv={TOKEN}"] if TOKEN in os.environ else []
        return [*_ssh_words(), *token, *terminal, *port, self.server.destination, "--", words]


def typed(args: Sequence[str]) -> Typed:
    """Take ``--server ADDRESS`` and ``-r REMOTE`` out of the words.

    Only before ``--``, and before the command of ``run``: later words belong to that.
    """
    address, remote, words = None, None, []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        option, is_joined, value = word.partition("=")
        if option == "--server" or option in _REMOTE_OPTIONS:
            if not is_joined:
                value = rest.pop(0) if rest else ""
            if option == "--server":
                address = value
            else:
                remote = value
            continue
        words.append(word)
        if word == "--" or running.is_complete(words):
            words += rest
            break
    return Typed(address, remote, words)


def resolve(asked: Typed, *, creates: bool = False) -> Call | None:
    """The server and the app: --server, the remote, PAAS_SERVER, the config file, in this order.

    creates: whether the command adds the named git remote, so that it need not exist.
    """
    name = asked.remote if asked.remote is not None else REMOTE
    url = remotes.url_of(name)
    if url is None and asked.remote is not None and not creates:
        raise usage_error(
            "no-remote",
            f"There is no git remote {name!r} here.",
            "List them with: git remote -v",
        )
    remote = remotes.parse_url(url) if url else None
    if creates and remote is None and name != REMOTE and (other := remotes.url_of(REMOTE)):
        remote = remotes.parse_url(other)
    server = server_of(asked.address, remote)
    if server is None:
        return None
    app = None
    if remote is not None and address_of(remote.server) == address_of(server) and not creates:
        app = None if _names_app(asked.words) else remote.app
    return Call(server, app, tuple(asked.words), name)


def server_of(address: str | None, remote: Remote | None) -> Server | None:
    """The server from the first of: --server, the remote, PAAS_SERVER, the config file."""
    if address is not None:
        return remotes.server(address, "--server")
    if remote is not None:
        return remote.server
    if text := os.environ.get("PAAS_SERVER"):
        return remotes.server(text, "PAAS_SERVER")
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    path = Path(home) / "paas" / "config.toml"
    text = remotes.configured(path)
    return remotes.server(text, str(path)) if text is not None else None


def address_of(server: Server) -> tuple[str, int]:
    """A key that is equal for addresses of the same server."""
    return server.host, server.port or 22


def positional(words: Sequence[str], valued: Sequence[str] = APP_VALUED) -> list[str]:
    """The words that are neither options nor values of options; the command is first."""
    found, rest = [], iter(words)
    for word in rest:
        if word in valued:
            next(rest, None)
        elif not word.startswith("-"):
            found.append(word)
    return found


def command_of(words: Sequence[str]) -> str:
    """The command among the words; empty if there is none."""
    return next(iter(positional(words)), "")


def named_app(call: Call) -> str | None:
    """The app named by -a or by the remote, if it is not named by position."""
    for at, word in enumerate(call.words):
        if word in APP_VALUED and at + 1 < len(call.words):
            return call.words[at + 1]
        if word.startswith("--app="):
            return word.removeprefix("--app=")
    return call.app


def become(call: Call) -> int:
    """Become ssh; its exit status is the command's."""
    argv = call.argv()
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - there is no shell to start
    except OSError as error:
        raise _no_ssh(error) from error


def ssh(call: Call, *, capture: bool = False) -> tuple[int, str]:
    """Run ssh; returns its exit status and, with capture, its stdout."""
    try:
        done = subprocess.run(
            call.argv(), stdout=subprocess.PIPE if capture else None, text=True, check=False
        )
    except OSError as error:
        raise _no_ssh(error) from error
    return done.returncode, done.stdout or ""


def ask(call: Call, words: list[str], stdin: str | None) -> tuple[int, str]:
    """Run another command on the same server and app; returns its exit status and stdout."""
    try:
        return editing.run_command(replace(call, words=tuple(words)).argv(), stdin)
    except OSError as error:
        raise _no_ssh(error) from error


def _no_ssh(error: OSError) -> PaasError:
    return PaasError("no-ssh", f"ssh cannot be run: {error.strerror}.")


def _names_app(words: Sequence[str]) -> bool:
    """Whether -a or --app is among the words."""
    return any(
        w in APP_VALUED or w.startswith("--app=") or (w.startswith("-a") and w[1:2] != "-")
        for w in running.own_words(words)
    )


def _ssh_words() -> list[str]:
    """ssh, or what PAAS_SSH names: a program with options, quoted as in a shell."""
    try:
        return shlex.split(os.environ.get("PAAS_SSH", "")) or ["ssh"]
    except ValueError as error:
        raise usage_error(
            "paas-ssh", f"PAAS_SSH is not a command: {error}.", "export PAAS_SSH='ssh -i KEY'"
        ) from error
