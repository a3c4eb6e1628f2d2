"""``heroku:proxy``: a port of this computer that leads to the server's API, over ssh.

Each connection carries one request, and is an ssh connection of its own to ``heroku:connect``. No
credentials are added: whoever can connect to the port needs a token.
"""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from paas.domain.streams.relays import PROXY_PORT
from paas.domain.values.errors import PaasError, usage_error
from paas.entrypoints.laptop.call import Call, become

COMMAND = "heroku:proxy"
_HOST = "127.0.0.1"
_END = b"\r\n\r\n"
_HEAD_MAX_BYTES = 65_536
_HEAD_LIMIT_S = 20.0
_PIECE_BYTES = 65_536
_CONNECTION = re.compile(rb"\r\n(?:connection|x-real-ip):[^\r\n]*", re.IGNORECASE)
# In Heroku's form, which its CLI shows.
_NOTHING = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    b'{"id": "service_unavailable", "message": "The server was not reached: see where heroku:proxy '
    b'runs."}\n'
)
_STREAM = re.compile(rb"(?:GET|HEAD) /streams/")
# The argv of what connects to the server; whether to its streams.
Connect = Callable[[bool], list[str]]


def run(call: Call) -> int:
    """Listen until Ctrl-C. Raises PaasError if the port is taken."""
    if not {"-h", "--help"}.isdisjoint(call.words):
        return become(call)
    port = _port(call.words)

    def connect(to_streams: bool) -> list[str]:
        words = ("heroku:connect", *(("--streams",) if to_streams else ()))
        return replace(call, app=None, words=words).argv()

    with listening(port) as listener:
        sys.stderr.write(
            f"-----> http://{_HOST}:{port} leads to {call.server.destination}, until Ctrl-C\n"
            '       In another terminal: eval "$(paas heroku:env --proxy)"\n'
        )
        serve(listener, connect)
    return 0


def _port(words: tuple[str, ...]) -> int:
    rest = list(words[words.index(COMMAND) + 1 :])
    if not rest:
        return PROXY_PORT
    text = rest[1] if len(rest) == 2 and rest[0] == "--port" else ""
    if len(rest) == 1 and rest[0].startswith("--port="):
        text = rest[0].removeprefix("--port=")
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 65_536:
        raise usage_error("arguments", "heroku:proxy takes a port.", f"paas {COMMAND} --port 5702")
    return int(text)


def listening(port: int) -> socket.socket:
    """The port, for programs of this computer only. Raises PaasError if it is taken."""
    try:
        return socket.create_server((_HOST, port))
    except OSError as error:
        raise PaasError(
            "proxy-port",
            f"Port {port} of this computer cannot be used: {error.strerror}.",
            "End what uses it, perhaps another heroku:proxy; or choose another: --port 5703",
        ) from error


def serve(listener: socket.socket, connect: Connect) -> None:
    """Forward connections, each in threads of its own, until the listener is closed."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_forward, args=(client, connect), daemon=True).start()


def _forward(client: socket.socket, connect: Connect) -> None:
    """One connection, with one request: another one may be for the streams."""
    with client, suppress(OSError):
        client.settimeout(_HEAD_LIMIT_S)
        head, rest = _head(client)
        if not head:
            return
        client.settimeout(None)
        argv = connect(_STREAM.match(head) is not None)
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ssh:
            assert ssh.stdin is not None
            assert ssh.stdout is not None
            first = _CONNECTION.sub(b"", head) + b"\r\nConnection: close" + _END + rest
            sending = threading.Thread(target=_send, args=(client, ssh, first), daemon=True)
            sending.start()
            answered = False
            try:
                while piece := os.read(ssh.stdout.fileno(), _PIECE_BYTES):
                    answered = True
                    client.sendall(piece)
                if not answered:
                    client.sendall(_NOTHING)
            finally:
                ssh.terminate()
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
                sending.join()


def _send(client: socket.socket, ssh: "subprocess.Popen[bytes]", first: bytes) -> None:
    """What the client sends, until it has nothing more."""
    assert ssh.stdin is not None
    with suppress(OSError, ValueError):
        ssh.stdin.write(first)
        ssh.stdin.flush()
        while piece := client.recv(_PIECE_BYTES):
            ssh.stdin.write(piece)
            ssh.stdin.flush()
    with suppress(OSError, ValueError):
        ssh.stdin.close()


def _head(client: socket.socket) -> tuple[bytes, bytes]:
    """The head of the request, without its end, and what came with it; empty if there is none."""
    found = b""
    while _END not in found:
        piece = client.recv(_PIECE_BYTES)
        if not piece or len(found) > _HEAD_MAX_BYTES:
            return b"", b""
        found += piece
    head, _, rest = found.partition(_END)
    return head, rest
