"""A security key without hardware: an ssh-agent that signs as a FIDO authenticator does.

sshd only sees signatures, so it cannot tell the two apart. The agent's protocol is that of
draft-ietf-sshm-ssh-agent; keys and signatures are in OpenSSH's PROTOCOL.u2f.
"""

import base64
import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = "sk-ssh-ed25519@openssh.com"
ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"
_APPLICATION = b"ssh:"
_TOUCHED = 0x01
_LIST, _LISTED, _SIGN, _SIGNED, _FAILURE = 11, 12, 13, 14, 5


class SecurityKey:
    """A key of one of the two kinds. touched: whether its owner touches it to sign."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.touched = True
        self._counter = 0
        self._ed25519 = ed25519.Ed25519PrivateKey.generate()
        self._ecdsa = ec.generate_private_key(ec.SECP256R1())

    @property
    def blob(self) -> bytes:
        """The public key, as it is in base64 in its ``.pub`` file."""
        if self.kind == ED25519:
            point = self._ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            return _texts(self.kind.encode(), point, _APPLICATION)
        public = self._ecdsa.public_key()
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return _texts(self.kind.encode(), b"nistp256", point, _APPLICATION)

    @property
    def public_key(self) -> str:
        """The line of its ``.pub`` file."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()} alice@yubikey\n"

    def sign(self, data: bytes) -> bytes:
        """A signature, with the flags and the counter of the authenticator."""
        self._counter += 1
        state = struct.pack("!BI", _TOUCHED if self.touched else 0, self._counter)
        application, message = (hashlib.sha256(part).digest() for part in (_APPLICATION, data))
        signed = application + state + message
        if self.kind == ED25519:
            signature = self._ed25519.sign(signed)
        else:
            pair = utils.decode_dss_signature(self._ecdsa.sign(signed, ec.ECDSA(SHA256())))
            signature = _texts(*(n.to_bytes(n.bit_length() // 8 + 1, "big") for n in pair))
        return _texts(self.kind.encode(), signature) + state


@contextmanager
def agent(key: SecurityKey, path: Path) -> Iterator[Path]:
    """An ssh-agent with that key, which listens at path."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        serving = threading.Thread(target=_serve, args=(listener, key))
        serving.start()
        try:
            yield path
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listener: socket.socket, key: SecurityKey) -> None:
    """One client after the other, until the listener is shut down."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, suppress(OSError, EOFError):
            while True:
                (size,) = struct.unpack("!I", _read(client, 4))
                client.sendall(_texts(_answer(_read(client, size), key)))


def _answer(request: bytes, key: SecurityKey) -> bytes:
    if request[0] == _LIST:
        return struct.pack("!BI", _LISTED, 1) + _texts(key.blob, b"a security key")
    if request[0] == _SIGN:
        blob, rest = _text(request[1:])
        if blob == key.blob:
            return bytes([_SIGNED]) + _texts(key.sign(_text(rest)[0]))
    return bytes([_FAILURE])


def _texts(*texts: bytes) -> bytes:
    """Each with its length in front (RFC 4251, 5)."""
    return b"".join(struct.pack("!I", len(text)) + text for text in texts)


def _text(data: bytes) -> tuple[bytes, bytes]:
    (size,) = struct.unpack("!I", data[:4])
    return data[4 : 4 + size], data[4 + size :]


def _read(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = client.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data
