"""What people give in place of a public key: each is refused with its own remedy."""

import re
from collections.abc import Sequence

from paas.domain.people.keys import KEY_KINDS
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

EXAMPLE = "Give the content of a .pub file, such as: ssh-ed25519 AAAAC3Nza... alice@laptop"
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
_KINDS = "|".join(map(re.escape, KEY_KINDS))
_KEY = re.compile(rf"(?:^|(?<=[ ,{_QUOTES}]))(?:{_KINDS}) AAAA\S+")
_CERTIFICATE = re.compile(r"(?:^|[ ,\"])[a-z0-9@.-]+-cert-v01@openssh\.com AAAA")
_FINGERPRINT = re.compile(r"\bSHA256:[A-Za-z0-9+/]{43}|\b(?:[0-9a-f]{2}:){15}[0-9a-f]{2}\b")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
# sshd(8), AUTHORIZED_KEYS FILE FORMAT; in any case of letters.
_OPTIONS = frozenset(
    {"agent-forwarding", "cert-authority", "command", "environment", "expiry-time", "from"}
    | {"no-agent-forwarding", "no-port-forwarding", "no-pty", "no-touch-required", "no-user-rc"}
    | {"no-x11-forwarding", "permitlisten", "permitopen", "port-forwarding", "principals", "pty"}
    | {"restrict", "tunnel", "user-rc", "verify-required", "x11-forwarding"}
)
_OTHER_FORMS = (
    (
        "---- BEGIN SSH2 PUBLIC KEY",
        "This is a key in PuTTY's form (SSH2), not in OpenSSH's.",
        "Convert it with: ssh-keygen -i -f key.pub; or copy it from PuTTYgen's upper field",
    ),
    (
        "-----BEGIN PUBLIC KEY",
        "This is a key in the form of OpenSSL (PKCS #8), not in OpenSSH's.",
        "Convert it with: ssh-keygen -i -m PKCS8 -f key.pem",
    ),
    (
        "-----BEGIN RSA PUBLIC KEY",
        "This is a key in the form of OpenSSL (PEM), not in OpenSSH's.",
        "Convert it with: ssh-keygen -i -m PEM -f key.pem",
    ),
    (
        "-----BEGIN CERTIFICATE",
        "This is a certificate for TLS, not an SSH key.",
        EXAMPLE,
    ),
    (
        "-----BEGIN PGP PUBLIC KEY",
        "This is a PGP key, not an SSH key.",
        "If it has a key for authentication: gpg --export-ssh-key NAME",
    ),
)


def is_private(text: str) -> bool:
    """Whether it is a private key, in the form of OpenSSH, OpenSSL or PuTTY (``.ppk``)."""
    return "PRIVATE KEY-----" in text or text.lstrip().startswith("PuTTY-User-Key-File-")


def of_text(text: str) -> PaasError | None:
    """What is wrong with the whole input, if that is one of the known mistakes."""
    if is_private(text):
        return usage_error(
            "key-private",
            "This is a private key, which must not leave its owner's machine. It was not kept.",
            "Replace it, and give the content of the .pub file beside the new one; PuTTYgen shows "
            "it in its upper field.",
        )
    for start, message, hint in _OTHER_FORMS:
        if start in text:
            return usage_error("key-form", message, hint)
    return None


def of_lines(lines: Sequence[str]) -> PaasError:
    """Why several lines, without blank ones and comments, are not one key."""
    first = of_line(lines[0])
    keys = sum(_KEY.search(line) is not None for line in lines)
    if first is not None and (keys < 2 or not _begins_with_options(lines[0])):
        return first
    if keys > 1:
        return usage_error(
            "key-form",
            f"There are {keys} public keys; one is added at a time.",
            "For each of them: echo 'ssh-ed25519 AAAA...' | paas keys:add NAME",
        )
    if keys and _is_wrapped(lines):
        return usage_error(
            "key-form",
            f"The key is broken into {len(lines)} lines, as some programs wrap what is pasted.",
            "Join them, without spaces between the parts; or give the .pub file itself.",
        )
    return usage_error(
        "key-form", f"A public key is one line; the input has {len(lines)}.", EXAMPLE
    )


def _is_wrapped(lines: Sequence[str]) -> bool:
    """Whether the base64 of the first line goes on in the others; only the last has a comment."""
    parts = [lines[0].partition(" ")[2], *lines[1:-1], lines[-1].partition(" ")[0]]
    return all(_BASE64.fullmatch(part) for part in parts)


def of_line(line: str) -> PaasError | None:
    """What is wrong with a line whose first word is not the type of a key, if it is known."""
    word = line.partition(" ")[0]
    key = _KEY.search(line)
    if key is not None and key.start() == 0:
        return None
    if word == "ssh-dss":
        return usage_error(
            "key-kind", "DSA keys are not secure.", "Make a new one with: ssh-keygen -t ed25519"
        )
    if _CERTIFICATE.search(line):
        return usage_error(
            "key-form",
            "This is an SSH certificate, which is valid only together with its CA.",
            "Give the .pub file without -cert in its name; or have an admin accept the CA's "
            "certificates with ssh_ca in server.yml",
        )
    if key is not None and _begins_with_options(line):
        return _options(line, key[0])
    if key is not None and len(line[: key.start()].split()) <= 2 and word[0] not in _QUOTES:
        return usage_error(
            "key-form",
            f"This is a line of known_hosts: the key of a server ({shown(word)}), not of a user.",
            EXAMPLE,
        )
    if key is not None:
        return usage_error(
            "key-form",
            f"There is text before the key: {shown(line[: key.start()])}.",
            f"Give the key alone: {key[0].rstrip(_QUOTES)}",
        )
    if _FINGERPRINT.search(line):
        return usage_error(
            "key-form", "This is the fingerprint of a key, not the key itself.", EXAMPLE
        )
    if word.startswith("AAAA") and _BASE64.fullmatch(word):
        return usage_error("key-form", "The first word of the key is missing: its type.", EXAMPLE)
    return None


def _begins_with_options(line: str) -> bool:
    found = re.match(r"[A-Za-z0-9-]+", line)
    return found is not None and found[0].lower() in _OPTIONS


def _options(line: str, key: str) -> PaasError:
    if line.lower().startswith("cert-authority"):
        return usage_error(
            "key-form",
            "This line of authorized_keys accepts a CA's certificates, not a key.",
            "An admin can accept them with ssh_ca in server.yml.",
        )
    return usage_error(
        "key-form",
        "This is a line of authorized_keys, with options before the key; the server sets its own.",
        f"Give the key alone, without the text before it: {key}",
    )
