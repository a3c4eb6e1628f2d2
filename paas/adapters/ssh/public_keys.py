"""KeyReader: the line of a public key file, checked strictly, its fingerprint from ssh-keygen."""

import base64
import binascii
import re

from paas.adapters.system import subprocesses
from paas.domain.people import mistaken_keys
from paas.domain.people.keys import KEY_KINDS, Key
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import UserName, shown

_MAX_BYTES = 16_384
_MIN_RSA_BITS = 2048
_COMMENT_MAX = 100
_TIMEOUT_S = 10.0


class SshKeygenKeyReader:
    """interfaces.KeyReader, with OpenSSH's own judgement of what a key is."""

    def read(self, user: UserName, text: str) -> Key:
        """Parse one line of an OpenSSH public key file. Raises PaasError if it is invalid."""
        kind, body, comment = _parts(text)
        bits, fingerprint = _judged(kind, body)
        if kind == "ssh-rsa" and bits < _MIN_RSA_BITS:
            raise usage_error(
                "key-too-short",
                f"This RSA key has {bits} bits; at least {_MIN_RSA_BITS} are needed.",
                "Make a new one with: ssh-keygen -t ed25519",
            )
        return Key(fingerprint, user, kind, body, comment)


def _parts(text: str) -> tuple[str, str, str]:
    """Type, base64 body and comment of the only line."""
    if len(text) > _MAX_BYTES:
        raise usage_error("key-form", f"A public key has at most {_MAX_BYTES} characters.")
    if mistake := mistaken_keys.of_text(text):
        raise mistake
    line = _only_line(text)
    if not line.isprintable():
        raise _not_printable(line)
    kind, _, rest = line.partition(" ")
    if kind not in KEY_KINDS:
        raise mistaken_keys.of_line(line) or usage_error(
            "key-form", f"{shown(kind)} is not the type of a public key.", mistaken_keys.EXAMPLE
        )
    body, _, comment = rest.strip(" ").partition(" ")
    _check_body(kind, body)
    return kind, body, comment.strip(" ")[:_COMMENT_MAX]


def _only_line(text: str) -> str:
    """The only line of a key file that is neither blank nor a comment. Raises PaasError."""
    lines = [line.replace("\t", " ").strip(" ") for line in re.split(r"\r\n|\n|\r", text)]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise usage_error("key-form", "No public key was given.", mistaken_keys.EXAMPLE)
    if len(lines) > 1:
        raise mistaken_keys.of_lines(lines)
    return lines[0]


def _not_printable(line: str) -> PaasError:
    """Which character it is: most are not visible, and come from a web page or a chat."""
    found = next(character for character in line if not character.isprintable())
    return usage_error(
        "key-form",
        f"The key contains the character U+{ord(found):04X}, which no key contains; copying from "
        "a web page or a chat may add such characters.",
        "Give the .pub file itself.",
    )


def _check_body(kind: str, body: str) -> None:
    """The body is base64 that begins with the type's own name (RFC 4253, 6.6)."""
    try:
        raw = base64.b64decode(body.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise usage_error(
            "key-form", "The key's second word is not base64.", mistaken_keys.EXAMPLE
        ) from error
    if raw[4 : 4 + int.from_bytes(raw[:4], "big")] != kind.encode():
        raise usage_error("key-form", f"The key is not of the type that it names, {kind}.")


def _judged(kind: str, body: str) -> tuple[int, str]:
    """Bits and fingerprint as ``ssh-keygen -l`` prints them."""
    done = subprocesses.run(
        ["/usr/bin/ssh-keygen", "-l", "-E", "sha256", "-f", "-"],
        description="Reading the key with ssh-keygen",
        timeout_s=_TIMEOUT_S,
        env={"LANG": "C", "PATH": "/usr/bin:/bin"},
        stdin=f"{kind} {body}\n".encode(),
        check=False,
    )
    found = re.match(r"(\d+) (SHA256:[A-Za-z0-9+/]{43}) ", done.output.decode())
    if not done.ok or found is None:
        raise usage_error(
            "key-form", "OpenSSH does not accept this as a public key.", mistaken_keys.EXAMPLE
        )
    return int(found[1]), found[2]
