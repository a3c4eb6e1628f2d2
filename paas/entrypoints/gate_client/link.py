"""The client's half of the gate protocol; for its format and the other half see gate/wire.py.

Every SSH command pays for each import here: socket, json, re and dataclasses together would cost
more than everything else that this program does.
"""

from __future__ import annotations

import _socket
import os
import struct
import time

TYPE_CHECKING = False  # typing would cost as much as the rest
if TYPE_CHECKING:
    from typing import Any

_CONNECT_LIMIT_S = 5.0
_BUSY_LIMIT_S = 30.0
_RETRY_S = 0.1
_EXIT_GONE = 141
TERMINAL_WANTED = b'{"terminal": "raw"}'
ENV_ALWAYS = ("TERM", "COLUMNS", "LINES", "NO_COLOR", "GIT_PROTOCOL")
ENV_HOOK = (
    "PAAS_APP",
    "PAAS_APP_ID",
    "GIT_QUARANTINE_PATH",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_PUSH_OPTION_COUNT",
    "PAAS_PUSH_PROGRESS",
)
TOKEN = "PAAS_TOKEN"  # noqa: S105 - the name of its variable
ORIGIN_OF_PUSH = (("address", "PAAS_FROM"), ("key", "PAAS_KEY"), ("ca", "PAAS_CA"))
_JSON_ESCAPES = {34: '\\"', 92: "\\\\"} | {code: f"\\u{code:04x}" for code in range(32)}


class GateDownError(Exception):
    """Nothing answers on the gate's socket."""


def main(etc: str, args: list[str]) -> int:
    """Run one of the three uses of the client on the server, told apart by the first word."""
    for fd in (0, 1, 2):
        _ensure_open(fd)
    env = {name: os.environ[name] for name in ENV_ALWAYS if name in os.environ}
    if args[:1] == ["--as"]:
        command = os.environ.get("SSH_ORIGINAL_COMMAND", "")
        asked: dict[str, Any] = {"argv": [], "user": args[1], "command": command, "env": env}
        asked["origin"] = _origin(args[2:], os.environ.get("SSH_CONNECTION", ""))
        asked["token"] = os.environ.get(TOKEN)
        return _ask_with_retries(etc, asked)
    if args[:1] == ["--hook"]:
        env.update(_hook_environment())
        user = os.environ.get("PAAS_USER", "")
        request = {"argv": ["git:hook"], "user": user, "command": None, "env": env}
        request["origin"] = _origin_of_push()
        request["token"] = os.environ.get(TOKEN)
        return _ask_with_retries(etc, request, hook=True)
    return _operator(etc, args, env)


def _origin(words: list[str], connection: str) -> dict[str, str]:
    """The origin of a user's request. words: what follows the name in the forced command.

    connection: what sshd sets, of which the first word is the client's address (ssh(1)).
    """
    origin = {"address": connection.partition(" ")[0]}
    if words[:1] in (["--key"], ["--ca"]):
        origin[words[0][2:]] = words[1]
    return origin


def _origin_of_push() -> dict[str, str]:
    """The origin of the push that this hook belongs to; the gate gave it to receive-pack."""
    return {name: os.environ.get(variable, "") for name, variable in ORIGIN_OF_PUSH}


def _hook_environment() -> dict[str, str]:
    """What the hook reports about the push: where its objects are, its app and its options."""
    from paas.entrypoints.gate_client.pushtrace import wants_progress

    names = [*ENV_HOOK, *(name for name in os.environ if name.startswith("GIT_PUSH_OPTION_"))]
    env = {name: os.environ[name] for name in names if name in os.environ}
    env["PAAS_PUSH_PROGRESS"] = "1" if wants_progress(os.environ) else ""
    return env


def _operator(etc: str, args: list[str], env: dict[str, str]) -> int:
    """Root on the server: through the gate, or in this process if the gate is down."""
    words = args or ["help"]
    _read_here(words)
    if "config:edit" in words:
        from paas.entrypoints.gate_client import editing

        if editing.is_wanted(words):
            return _edit(etc, words)
    try:
        origin = {"login": os.environ.get("SUDO_USER", "")}
        return _ask(
            etc, {"argv": words, "user": None, "command": None, "env": env, "origin": origin}
        )
    except GateDownError:
        if not words[0].startswith("server:"):
            _say("The gate is not running: doing this without it.", prefix="       ")
        return _in_process(etc, words)


def _edit(etc: str, words: list[str]) -> int:
    """``config:edit`` for root: its other commands are run by this program."""
    import sys

    from paas.domain.values.errors import PaasError
    from paas.entrypoints import failure
    from paas.entrypoints.gate_client import editing

    client = os.path.abspath(__file__).replace("gate_client/link.py", "client.py")
    argv = [sys.executable, "-I", "-S", client, "--paas-etc", etc]
    try:
        return editing.edit(words, lambda more, stdin: editing.run_command([*argv, *more], stdin))
    except PaasError as error:
        os.write(2, failure.rendered(error).encode())
        return error.exit_code


def _read_here(words: list[str]) -> None:
    """Let ``keys:add USER FILE`` and ``certs:add CRT KEY`` read their files from here.

    The gate has another working directory. ``http-auth:add-user`` asks for a password.
    """
    is_certificate = "certs:add" in words[:3]
    is_login = "http-auth:add-user" in words[:3]
    if is_certificate or is_login or (words[0] == "keys:add" and len(words) > 1):
        from paas.domain.values.errors import PaasError
        from paas.entrypoints import failure

        try:
            if is_certificate:
                from paas.entrypoints.gate_client import certinput

                certinput.files_as_stdin(words)
            elif is_login:
                from paas.entrypoints.gate_client import passwordinput

                passwordinput.typed_as_stdin(words)
            else:
                from paas.entrypoints.gate_client import keyinput

                keyinput.file_as_stdin(words)
        except PaasError as error:
            os.write(2, failure.rendered(error).encode())
            raise SystemExit(error.exit_code) from error


def _in_process(etc: str, words: list[str]) -> int:
    """Become the command line itself, from the virtual environment next to this code."""
    version = os.path.abspath(__file__).removesuffix("/paas/entrypoints/gate_client/link.py")
    python = f"{version}/venv/bin/python"
    try:
        os.execv(python, [python, "-I", "-m", "paas.entrypoints.cli", "--etc", etc, *words])  # noqa: S606 - there is no shell to start
    except FileNotFoundError:
        _say(f"There is no server installed here: {python} is missing.")
        return 1


def _ask_with_retries(etc: str, request: dict[str, Any], hook: bool = False) -> int:
    """Ask on behalf of a caller that has no other way: waits out a restart of the gate."""
    try:
        return _ask(etc, request, connect_limit_s=_CONNECT_LIMIT_S, hook=hook)
    except GateDownError:
        _say("The platform's gate is not running on this server; nothing was done.")
        _say("Its administrator sees what runs with: sudo paas server:status")
        return 1


def _ask(
    etc: str, request: dict[str, Any], connect_limit_s: float = 0.0, hook: bool = False
) -> int:
    """Send the request until the gate has room for it; returns the exit status, or execs."""
    deadline = time.monotonic() + _BUSY_LIMIT_S
    while True:
        answer = _exchange(_connect(etc, connect_limit_s), request, hook)
        if answer is None:
            _say("The server ended this command before it was done; see what it did: paas releases")
            return 1
        if answer.startswith(b'{"exit": ') and answer.endswith(b"}"):
            return int(answer[9:-1]) & 0xFF
        if answer.startswith(b"exec\0"):
            from paas.entrypoints.gate_client import become

            return become.become(answer.split(b"\0")[1:])
        if time.monotonic() > deadline:
            _say(_why_busy(answer))
            return 1
        time.sleep(_RETRY_S)


def _why_busy(answer: bytes) -> str:
    """Why a request was not accepted, after many tries."""
    import json

    why = json.loads(answer).get("busy")
    if isinstance(why, str):
        return why
    return "The server is already running as many commands as it can; try again in a moment."


def _connect(etc: str, limit_s: float) -> _socket.socket:
    """A connection to the gate. Raises GateDownError if nothing listens until the limit."""
    try:
        with open(f"{etc}/gate", encoding="utf-8") as file:
            path = file.read().strip()
    except OSError as error:
        raise GateDownError(str(error)) from error
    deadline = time.monotonic() + limit_s
    while True:
        sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        try:
            sock.connect(path)
            return sock
        except OSError as error:
            sock.close()
            if time.monotonic() >= deadline:
                raise GateDownError(str(error)) from error
            time.sleep(_RETRY_S)


def _exchange(sock: _socket.socket, request: dict[str, Any], hook: bool) -> bytes | None:
    """Send the request and our three descriptors; the answer's JSON, or None if none came."""
    body = _json(request).encode("utf-8", "surrogatepass")
    data = struct.pack("!I", len(body)) + body
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("3i", 0, 1, 2))]
    try:
        sent = sock.sendmsg([data], rights)
        while sent < len(data):
            sent += sock.send(data[sent:])
    except OSError:
        pass  # it may have answered before it read everything
    raw = None
    try:
        while True:
            answer = _answer(sock, hook)
            if answer != TERMINAL_WANTED:
                return answer
            from paas.entrypoints.gate_client.rawmode import RawMode

            raw = RawMode()
            raw.enter(sock)
    except OSError:
        return None
    finally:
        if raw is not None:
            raw.leave()
        sock.close()


def _answer(sock: _socket.socket, hook: bool) -> bytes:
    """The next answer's JSON. Raises OSError if no more will come."""
    if not hook:
        # A hook's verdict counts even if the pusher has left; otherwise, a client whose reader is
        # gone would wait forever (sshd sends no signal without a terminal).
        _wait_for_answer(sock)
    header = _receive(sock, 4)
    return _receive(sock, struct.unpack("!I", header)[0])


def _wait_for_answer(sock: _socket.socket) -> None:
    """Return when an answer can be read; exit if nothing reads our output any longer."""
    import select

    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    poll.register(1, 0)
    while True:
        events = dict(poll.poll())
        if sock.fileno() in events:
            return
        if events.get(1, 0) & (select.POLLERR | select.POLLHUP):
            os._exit(_EXIT_GONE)
        poll.unregister(1)  # not a file that can be watched


def _receive(sock: _socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise ConnectionResetError
        data += part
    return data


def _ensure_open(fd: int) -> None:
    """Open a standard descriptor that the caller closed, so that none of ours takes its place."""
    try:
        os.fstat(fd)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)
        if null != fd:
            os.dup2(null, fd)
            os.close(null)


def _json(value: object) -> str:
    """JSON of texts, None, lists and dicts, which is all that a request has."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(k)}:{_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return f'"{str(value).translate(_JSON_ESCAPES)}"'


def _say(text: str, prefix: str = " !     ") -> None:
    """Write to descriptor 2, since sys.stderr is None if the caller had closed it."""
    os.write(2, f"{prefix}{text}\n".encode("utf-8", "backslashreplace"))
