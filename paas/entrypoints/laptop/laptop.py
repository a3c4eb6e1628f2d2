"""``paas`` on a laptop: finds the server and the app, and runs the command there over ssh.

It needs the standard library, ssh and, for the remote ``deploy``, git.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from paas import __version__
from paas.domain.errors import PaasError, usage_error
from paas.entrypoints.failure import rendered
from paas.entrypoints.gateclient import certinput, editing, keyinput, passwordinput
from paas.entrypoints.laptop import browser, commands, completion, init, remotes, running, saying
from paas.entrypoints.laptop.remotes import REMOTE, Remote, Server

_VALUED = ("-a", "--app")


@dataclass(frozen=True, slots=True)
class Call:
    """One command on its way to a server. app: what the remote names, where no -a was typed."""

    server: Server
    app: str | None
    words: tuple[str, ...]

    def argv(self) -> list[str]:
        """The ssh command; the words are quoted for the shell-like reader on the other side."""
        port = ["-p", str(self.server.port)] if self.server.port else []
        app = ["--app", self.app] if self.app else []
        words = shlex.join([*running.seen_as(self.words), *app, *self.words])
        terminal = running.ssh_options(self.words)
        return [*_ssh_words(), *terminal, *port, self.server.destination, "--", words]


def _ssh_words() -> list[str]:
    """ssh, or what PAAS_SSH names: a program with options, quoted as in a shell."""
    try:
        return shlex.split(os.environ.get("PAAS_SSH", "")) or ["ssh"]
    except ValueError as error:
        raise usage_error(
            "paas-ssh", f"PAAS_SSH is not a command: {error}.", "export PAAS_SSH='ssh -i KEY'"
        ) from error


def main(args: Sequence[str]) -> int:
    """Run one command; its exit status. Errors are printed."""
    try:
        return _run(list(args))
    except PaasError as error:
        sys.stderr.write(rendered(error))
        return error.exit_code


def _run(args: list[str]) -> int:
    address, words = _take_server(args)
    words = running.app_in_front(words) or ["help"]
    if words[0] in ("help", "--help", "-h"):
        return _help(address, words)
    if words[0] in ("version", "--version"):
        plain = json.dumps({"version": __version__}, indent=2)
        print(plain if "--json" in words else f"paas {__version__}")
        return 0
    if words[0] == "completion":
        sys.stdout.write(completion.script(words[1] if len(words) == 2 else ""))
        return 0
    if _command(words) == init.COMMAND and not {"-h", "--help"} & set(words):
        return init.init(words, _server(address, None))
    call = resolve(address, words)
    if call is None:
        raise usage_error(
            "no-server",
            "Which server? There is no git remote `deploy` here, and no default is set.",
            "paas COMMAND --server paas@apps.example.com, or once: export PAAS_SERVER=paas@...\n"
            "On the server itself: sudo paas COMMAND",
        )
    name = _command(call.words)
    if name in _OWN_WAY:
        return _OWN_WAY[name](call)
    if name == editing.COMMAND and editing.is_wanted(call.words):
        return editing.edit(list(call.words), lambda words, stdin: _ask(call, words, stdin))
    return _become(call)


def resolve(address: str | None, words: Sequence[str]) -> Call | None:
    """The server and the app: --server, the remote, PAAS_SERVER, the config file, in this order."""
    url = remotes.deploy_url()
    remote = remotes.parse_url(url) if url else None
    server = _server(address, remote)
    if server is None:
        return None
    same = remote is not None and _place(remote.server) == _place(server)
    app = remote.app if remote is not None and same and not _names_app(words) else None
    return Call(server, app, tuple(words))


def _server(address: str | None, remote: Remote | None) -> Server | None:
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


def _place(server: Server) -> tuple[str, int]:
    return server.host, server.port or 22


def _take_server(args: list[str]) -> tuple[str | None, list[str]]:
    """Take ``--server ADDRESS`` out of the words, wherever it stands before ``--``."""
    address, words = None, []
    rest = iter(args)
    for word in rest:
        if word == "--":
            words += [word, *rest]
        elif word == "--server":
            address = next(rest, "")
        elif word.startswith("--server="):
            address = word.removeprefix("--server=")
        else:
            words.append(word)
    return address, words


def _names_app(words: Sequence[str]) -> bool:
    """Whether -a or --app is among the words."""
    return any(
        w in _VALUED or w.startswith("--app=") or (w.startswith("-a") and w[1:2] != "-")
        for w in running.own_words(words)
    )


def _named_app(call: Call) -> str | None:
    """The app that the user or the remote names, where it is not by position."""
    for at, word in enumerate(call.words):
        if word in _VALUED and at + 1 < len(call.words):
            return call.words[at + 1]
        if word.startswith("--app="):
            return word.removeprefix("--app=")
    return call.app


def _positional(words: Sequence[str], valued: Sequence[str] = _VALUED) -> list[str]:
    """The words that are neither options nor their values; the command first."""
    found, rest = [], iter(words)
    for word in rest:
        if word in valued:
            next(rest, None)
        elif not word.startswith("-"):
            found.append(word)
    return found


def _command(words: Sequence[str]) -> str:
    return next(iter(_positional(words)), "")


def _become(call: Call) -> int:
    """Become ssh; its exit status is the command's."""
    argv = call.argv()
    try:
        os.execvp(argv[0], argv)  # noqa: S606
    except OSError as error:
        raise PaasError("no-ssh", f"ssh cannot be run: {error.strerror}.") from error


def _ssh(call: Call, *, capture: bool = False) -> tuple[int, str]:
    """Run ssh; its exit status and, with capture, what it printed on stdout."""
    try:
        done = subprocess.run(
            call.argv(), stdout=subprocess.PIPE if capture else None, text=True, check=False
        )
    except OSError as error:
        raise PaasError("no-ssh", f"ssh cannot be run: {error.strerror}.") from error
    return done.returncode, done.stdout or ""


def _ask(call: Call, words: list[str], stdin: str | None) -> tuple[int, str]:
    """Another command on the same server and app; its status and what it printed on stdout."""
    try:
        return editing.run_command(replace(call, words=tuple(words)).argv(), stdin)
    except OSError as error:
        raise PaasError("no-ssh", f"ssh cannot be run: {error.strerror}.") from error


def _help(address: str | None, words: list[str]) -> int:
    """The overview, or what the server or this program's own table knows of one command."""
    if len(words) < 2:
        print(commands.overview())
        return 0
    call = resolve(address, words)
    if call is not None:
        return _become(call)
    text = commands.described(words[1])
    if text is None:
        raise usage_error("no-command", f"There is no command {words[1]!r}.", "paas help")
    print(text)
    return 0


def _keys_add(call: Call) -> int:
    """The key's file is read here; the server gets it on stdin."""
    words = list(call.words)
    keyinput.file_as_stdin(words)
    if len(words) == len(call.words) and os.isatty(0):
        sys.stderr.write("       Paste the public key, then press Ctrl-D.\n")
    return _become(Call(call.server, call.app, tuple(words)))


def _add_login(call: Call) -> int:
    """http-auth:add-user: the password is typed here, unseen."""
    passwordinput.typed_as_stdin(call.words)
    return _become(call)


def _create(call: Call) -> int:
    """apps:create, and the git remote that goes with it."""
    status, output = _ssh(call, capture=True)
    sys.stdout.write(output)
    sys.stdout.flush()
    name = _created(output)
    if status != 0 or name is None or not remotes.in_work_tree():
        return status
    url = call.server.git_url(name)
    present = remotes.deploy_url()
    if present is None:
        if remotes.git("remote", "add", REMOTE, url) is None:
            saying.warn(f"The git remote could not be added: git remote add {REMOTE} {url}")
        else:
            saying.step(f"Added the git remote {REMOTE}: {url}")
            saying.detail(f"Deploy with: git push {REMOTE} main")
    elif present != url:
        saying.warn(f"The git remote {REMOTE} is already there, for {present}.")
        saying.warn(f"To deploy {name} from here: git remote set-url {REMOTE} {url}")
    return status


def _created(output: str) -> str | None:
    """The name of the new app, from its git URL: in JSON, or after the bar (Heroku's form)."""
    try:
        url = str(json.loads(output)["git_url"])
    except (ValueError, KeyError, TypeError):
        url = output.strip().rpartition(" | ")[2]
    remote = remotes.parse_url(url)
    return remote.app if remote else None


def _follow(call: Call) -> int:
    """apps:rename and apps:destroy, after which the remote that named the app is put right."""
    command = _command(call.words)
    status, _ = _ssh(call)
    words = _positional(call.words, (*_VALUED, "--confirm"))[1:]
    old = _named_app(call)
    if command == "apps:rename":
        old = words[0] if len(words) == 2 else old
        new = words[-1] if words else None
    else:
        old = words[0] if words else old
        new = None
    url = remotes.deploy_url()
    remote = remotes.parse_url(url) if url else None
    if status != 0 or remote is None or remote.app is None or remote.app != old:
        return status
    if _place(remote.server) != _place(call.server):
        return status
    if new is None:
        remotes.git("remote", "remove", REMOTE)
        saying.step(f"Removed the git remote {REMOTE}, which led to {old}")
    else:
        remotes.git("remote", "set-url", REMOTE, remote.server.git_url(new))
        saying.step(f"The git remote {REMOTE} now leads to {new}")
    return status


_OWN_WAY: dict[str, Callable[[Call], int]] = {
    "apps:create": _create,
    "apps:destroy": _follow,
    "apps:rename": _follow,
    "certs:add": lambda call: certinput.send(
        call.words, lambda words: replace(call, words=tuple(words)).argv()
    ),
    passwordinput.COMMAND: _add_login,
    "keys:add": _keys_add,
    "open": lambda call: browser.open_app(lambda: _ask(call, list(call.words), None)),
}
