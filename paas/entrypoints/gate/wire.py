"""The server's half of the gate protocol: a request with three file descriptors, one answer.

Both ways: four bytes of length, big-endian, and that many bytes of JSON (but for answer_exec).
The client's stdin, stdout and stderr come with the first byte, as SCM_RIGHTS (unix(7)). The
client's half is paas/entrypoints/gate_client/link.py.
"""

import array
import json
import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paas.domain.git.access import ExecPlan
from paas.domain.people.origins import UNKNOWN_ORIGIN, Origin, parse_origin
from paas.domain.values.names import UserName, user_name
from paas.domain.values.secret import Secret
from paas.entrypoints.gate.ssh import HOOK_COMMAND
from paas.entrypoints.gate_client.link import ENV_ALWAYS, ENV_HOOK

MAX_REQUEST_BYTES = 4 * 1024 * 1024
REQUEST_LIMIT_S = 5.0
_HEADER = struct.Struct("!I")
_FDS = 3


class BadRequestError(Exception):
    """What arrived is not a request; the message says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A client's request. user: its user, or None for the operator.

    Either command, the raw SSH_ORIGINAL_COMMAND, is set, or argv is used.
    env: only names that the protocol knows. origin: of the operator's request it is only a login.
    token: for whose user it is to be run, if one was sent; it is not verified yet.
    """

    argv: tuple[str, ...]
    user: UserName | None
    command: str | None
    env: Mapping[str, str]
    origin: Origin = UNKNOWN_ORIGIN
    token: Secret | None = None

    @property
    def is_hook(self) -> bool:
        """Whether this comes from the pre-receive hook of a push."""
        return self.argv[:1] == (HOOK_COMMAND,)


def receive(conn: socket.socket, limit_s: float = REQUEST_LIMIT_S) -> tuple[Request, list[int]]:
    """Read a request and its three file descriptors. Raises BadRequestError or OSError."""
    raw, fds = receive_json(conn, limit_s)
    return parse(raw), fds


def receive_json(conn: socket.socket, limit_s: float = REQUEST_LIMIT_S) -> tuple[object, list[int]]:
    """The JSON of a request, of whatever kind, and its three file descriptors. Raises as that."""
    deadline = time.monotonic() + limit_s
    first, fds = _receive_first(conn, limit_s)
    header = first + _receive_bytes(conn, _HEADER.size - len(first), deadline)
    (size_bytes,) = _HEADER.unpack(header)
    if size_bytes > MAX_REQUEST_BYTES:
        raise BadRequestError(f"A request may be {MAX_REQUEST_BYTES} bytes long, not {size_bytes}.")
    body = _receive_bytes(conn, size_bytes, deadline)
    try:
        return json.loads(body.decode("utf-8", "surrogatepass")), fds
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The request is not valid JSON.") from error


def parse(raw: object) -> Request:
    """Validate a request's JSON. Raises BadRequestError or, for the user's name, PaasError."""
    match raw:
        case {
            "argv": list() as argv,
            "user": (str() | None) as user,
            "command": (str() | None) as command,
            "env": dict() as env,
            **others,
        }:
            pass
        case _:
            raise BadRequestError("The request lacks a field or has one of a wrong type.")
    texts = [*argv, *env.values()]
    if not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise BadRequestError("argv and env take texts without NUL.")
    words = tuple(str(word) for word in argv)
    hook = words[:1] == (HOOK_COMMAND,)
    return Request(
        argv=words,
        user=None if user is None else user_name(user),
        command=command,
        env={name: text for name, text in env.items() if _known(name, hook)},
        origin=_origin(others.get("origin", {}), is_operator=user is None),
        token=_token(others.get("token"), is_operator=user is None),
    )


def _origin(raw: object, *, is_operator: bool) -> Origin:
    """Clients of former versions send none: those that waited during an upgrade."""
    if not isinstance(raw, dict):
        raise BadRequestError("An origin is a mapping.")
    try:
        origin = parse_origin(raw)
    except ValueError as error:
        raise BadRequestError(f"The request's origin is not valid: {error}") from error
    if (origin.address or origin.key or origin.ca) if is_operator else origin.login:
        raise BadRequestError("A user has an address and a key or a CA, the operator a login.")
    return origin


def _token(raw: object, *, is_operator: bool) -> Secret | None:
    """An empty one, too: it must not be taken for none."""
    if raw is None:
        return None
    if not isinstance(raw, str) or is_operator:
        raise BadRequestError("A token is a text, and the operator has none.")
    return Secret(raw)


def answer_exit(conn: socket.socket, status: int) -> None:
    """Send the client its exit status; no error if it is gone."""
    _send_json(conn, {"exit": status})


def answer_exec(conn: socket.socket, plan: ExecPlan) -> None:
    """Tell the client what to execute: NUL-separated words, which need no parser.

    ``exec``, the lock's path or nothing, its holder, the number of argv's words, argv, and the
    environment as NAME=value.
    """
    _send(conn, b"\0".join([b"exec", *words_of(plan)]))


def words_of(plan: ExecPlan) -> list[bytes]:
    """A plan as gate_client/become.py takes it."""
    env = [f"{name}={value}" for name, value in plan.env.items()]
    words = [plan.lock or "", plan.holder, str(len(plan.argv)), *plan.argv, *env]
    return [word.encode("utf-8", "surrogateescape") for word in words]


def answer_json(conn: socket.socket, answer: Mapping[str, Any]) -> None:
    """Send an answer to a request of the web process; no error if it is gone."""
    _send_json(conn, answer)


def ask_terminal(conn: socket.socket) -> None:
    """Have the client put its terminal into raw mode; returns when it has.

    From then on each byte from the client means that the terminal's size has changed.
    Raises BrokenPipeError if the client is gone.
    """
    _send_json(conn, {"terminal": "raw"})
    conn.settimeout(None)
    if not conn.recv(1):
        raise BrokenPipeError


def answer_busy(conn: socket.socket, why: str = "") -> None:
    """Ask the client to try again in a moment. Never blocks. why: shown after many tries."""
    conn.setblocking(False)
    _send_json(conn, {"busy": why or True})


def client_gone(conn: socket.socket) -> bool:
    """Whether the client has closed its end, because it ended. Never blocks.

    poll and not recv: with a timeout set, Python waits for that long even under MSG_DONTWAIT.
    """
    poll = select.poll()
    poll.register(conn, select.POLLRDHUP)
    return bool(poll.poll(0))


def _known(name: str, hook: bool) -> bool:
    """Whether a variable of the client's environment is accepted."""
    if name in ENV_ALWAYS:
        return True
    number = name.removeprefix("GIT_PUSH_OPTION_")
    return hook and (name in ENV_HOOK or (number != name and number.isdecimal()))


def _send_json(conn: socket.socket, answer: Mapping[str, Any]) -> None:
    _send(conn, json.dumps(answer).encode())


def _send(conn: socket.socket, body: bytes) -> None:
    try:
        conn.sendall(_HEADER.pack(len(body)) + body)
    except OSError:
        return  # the client is gone, and nothing else needs to know


def _receive_first(conn: socket.socket, limit_s: float) -> tuple[bytes, list[int]]:
    """The first bytes, with exactly three file descriptors; the kernel closes further ones."""
    conn.settimeout(limit_s)
    fds = array.array("i")
    room = socket.CMSG_LEN(_FDS * fds.itemsize)
    first, ancillary, flags, _ = conn.recvmsg(_HEADER.size, room)
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    if not first:
        raise BadRequestError("The client left without a request.")
    if len(fds) != _FDS or flags & socket.MSG_CTRUNC:
        raise BadRequestError("A request comes with exactly three file descriptors.")
    return first, list(fds)


def _receive_bytes(conn: socket.socket, count: int, deadline: float) -> bytes:
    """Exactly that many bytes before the deadline (time.monotonic)."""
    parts: list[bytes] = []
    while count > 0:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise BadRequestError("The request did not arrive in time.")
        conn.settimeout(left_s)
        part = conn.recv(min(count, 65_536))
        if not part:
            raise BadRequestError("The client left in the middle of its request.")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
