"""KeyReader: the line of a public key file, checked strictly, its fingerprint from ssh-keygen."""

import base64
import binascii
import re

from paas.adapters.system import subprocesses
from paas.domain.apps.apps import Key
from paas.domain.values.errors import usage_error
from paas.domain.values.names import UserName, shown

KINDS = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
_MAX_BYTES = 16_384
_MIN_RSA_BITS = 2048
_COMMENT_MAX = 100
_PUTTY = "---- BEGIN SSH2 PUBLIC KEY"
_TIMEOUT_S = 10.0
_EXAMPLE = "Give the content of a .pub file, such as: ssh-ed25519 AAAAC3Nza... alice@laptop"


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
    """Type, base64 body and comment of the only line; options in front are refused."""
    if len(text) > _MAX_BYTES:
        raise usage_error("key-form", f"A public key has at most {_MAX_BYTES} characters.")
    if "PRIVATE KEY-----" in text:
        raise usage_error(
            "key-private",
            "This is a private key, which must not leave its owner's machine. It was not kept.",
            "Replace it, and give the content of the .pub file beside the new one.",
        )
    line = _only_line(text)
    if not line.isprintable():
        raise usage_error(
            "key-form", "A public key is one line without control characters.", _EXAMPLE
        )
    kind, _, rest = line.partition(" ")
    body, _, comment = rest.strip(" ").partition(" ")
    if kind == "ssh-dss":
        raise usage_error(
            "key-kind", "DSA keys are not safe.", "Make a new one with: ssh-keygen -t ed25519"
        )
    if kind not in KINDS:
        raise usage_error(
            "key-form",
            f"{shown(kind)} is not the type of a public key (options are refused).",
            _without_options(line) or _EXAMPLE,
        )
    _check_body(kind, body)
    return kind, body, comment.strip(" ")[:_COMMENT_MAX]


def _only_line(text: str) -> str:
    """The only line of a key file that is neither blank nor a comment. Raises PaasError."""
    if _PUTTY in text:
        raise usage_error(
            "key-form",
            "This is a key in PuTTY's form (SSH2), not in OpenSSH's.",
            "Convert it with: ssh-keygen -i -f key.pub; or copy it from PuTTYgen's upper field",
        )
    lines = [line.replace("\t", " ").strip(" ") for line in re.split(r"\r\n|\n|\r", text)]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise usage_error("key-form", "No public key was given.", _EXAMPLE)
    if len(lines) > 1 and all(line.startswith(KINDS) for line in lines):
        raise usage_error(
            "key-form",
            f"There are {len(lines)} public keys; one is added at a time.",
            "For each of them: echo 'ssh-ed25519 AAAA...' | paas keys:add NAME",
        )
    if len(lines) > 1:
        raise usage_error(
            "key-form", f"A public key is one line; the input has {len(lines)}.", _EXAMPLE
        )
    return lines[0]


def _without_options(line: str) -> str | None:
    """The key behind options such as command="...", for the hint; None if that is no key."""
    kinds = "|".join(map(re.escape, KINDS))
    found = re.search(rf"[ ,\"](({kinds}) AAAA\S+)", line)
    return f"Give the key alone, without the text before it: {found[1]}" if found else None


def _check_body(kind: str, body: str) -> None:
    """The body is base64 that begins with the type's own name (RFC 4253, 6.6)."""
    try:
        raw = base64.b64decode(body.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise usage_error("key-form", "The key's second word is not base64.", _EXAMPLE) from error
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
        raise usage_error("key-form", "OpenSSH does not accept this as a public key.", _EXAMPLE)
    return int(found[1]), found[2]
