"""``paas`` on a laptop: finds the server and the app, and runs the command there over ssh.

It needs the standard library, ssh and, for the remote ``deploy``, git.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from paas import __version__
from paas.domain.values.errors import PaasError, usage_error
from paas.entrypoints.failure import rendered
from paas.entrypoints.gate_client import certinput, editing, keyinput, passwordinput
from paas.entrypoints.laptop import (
    app_remotes,
    completion,
    init,
    proxy,
    running,
    suggestions,
    topics,
)
from paas.entrypoints.laptop.call import (
    Call,
    Typed,
    ask,
    become,
    command_of,
    resolve,
    server_of,
    typed,
)

_CREATES = "apps:create"
# The server's output is passed to a program that also accepts files and options.
_ADDRESS = re.compile(r"https?://[!-~]+")


def main(args: Sequence[str]) -> int:
    """Run one command and print its errors; returns the exit status."""
    try:
        return _run(list(args))
    except PaasError as error:
        sys.stderr.write(rendered(error))
        return error.exit_code


def _run(args: list[str]) -> int:
    asked = typed(args)
    words = suggestions.in_place(running.app_in_front(asked.words) or ["help"])
    asked = replace(asked, words=words)
    if words[0] in ("help", "--help", "-h"):
        return _help(asked)
    if words[0] in ("version", "--version"):
        plain = json.dumps({"version": __version__}, indent=2)
        print(plain if "--json" in words else f"paas {__version__}")
        return 0
    if words[0] == "completion":
        sys.stdout.write(completion.script(words[1] if len(words) == 2 else ""))
        return 0
    command = command_of(words)
    if command == init.COMMAND and not {"-h", "--help"} & set(words):
        return init.init(words, server_of(asked.address, None))
    call = resolve(asked, creates=command == _CREATES)
    if call is None:
        raise usage_error(
            "no-server",
            "No server was named: there is no git remote `deploy` here, and no default is set.",
            "paas COMMAND --server paas@apps.example.com, or once: export PAAS_SERVER=paas@...\n"
            "On the server itself: sudo paas COMMAND",
        )
    if command in _OWN_WAY:
        return _OWN_WAY[command](call)
    if command == editing.COMMAND and editing.is_wanted(call.words):
        return editing.edit(list(call.words), lambda words, stdin: ask(call, words, stdin))
    return become(call)


def _help(asked: Typed) -> int:
    """Print the topics, one topic, or the help of a command, from the server or from our own table.

    If there is a server, the help comes from it, since it may have another version.
    """
    words = asked.words[1:]
    if not words:
        print(topics.overview())
        return 0
    name = suggestions.in_place(words)[0]
    if topics.described(name) is None and (text := topics.topic_help(name)) is not None:
        print(text)
        return 0
    call = resolve(replace(asked, words=["help", name]))
    if call is not None:
        return become(call)
    text = "\n\n".join(filter(None, [topics.described(name), topics.topic_help(name)]))
    if not text:
        raise suggestions.no_command(name)
    print(text)
    return 0


def _keys_add(call: Call) -> int:
    """keys:add: the file is read here and sent to the server on stdin."""
    words = list(call.words)
    keyinput.file_as_stdin(words)
    if len(words) == len(call.words) and os.isatty(0):
        sys.stderr.write("       Paste the public key, then press Ctrl-D.\n")
    return become(replace(call, words=tuple(words)))


def _add_login(call: Call) -> int:
    """http-auth:add-user: the password is typed here without echo."""
    passwordinput.typed_as_stdin(call.words)
    return become(call)


def _open(call: Call) -> int:
    """Print the URL that the server returns, and open it in a browser if possible."""
    status, output = ask(call, list(call.words), None)
    sys.stdout.write(output)
    sys.stdout.flush()
    address = output.strip()
    if status != 0 or _ADDRESS.fullmatch(address) is None:
        return status
    if not _has_screen():
        return status
    import webbrowser

    if not webbrowser.open(address):
        sys.stderr.write(" !     No browser could be started here.\n")
    return status


def _has_screen() -> bool:
    """Whether a browser can be shown; one in the terminal only if BROWSER names it."""
    if sys.platform in ("darwin", "win32", "cygwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


_OWN_WAY: dict[str, Callable[[Call], int]] = {
    _CREATES: app_remotes.create,
    "apps:destroy": app_remotes.follow,
    "apps:rename": app_remotes.follow,
    "certs:add": lambda call: certinput.send(
        call.words, lambda words: replace(call, words=tuple(words)).argv()
    ),
    passwordinput.COMMAND: _add_login,
    proxy.COMMAND: proxy.run,
    "keys:add": _keys_add,
    "dashboard:open": _open,
    "open": _open,
}
