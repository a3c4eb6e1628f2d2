"""What people give in place of a public key: each hears what it is, and what to do."""

import pytest

from paas.domain.people.mistaken_keys import is_private, of_line, of_lines, of_text
from paas.domain.values.errors import PaasError

BODY = "AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
KEY = f"ssh-ed25519 {BODY}"
SK = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJdD"
FINGERPRINT = f"SHA256:{'a+/' * 14}a"
MD5 = ":".join(["a1"] * 16)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "private key", "Replace it"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "private key", "Replace it"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none", "private key", "upper field"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nComment: x", "PuTTY's form", "ssh-keygen -i -f"),
        ("-----BEGIN PUBLIC KEY-----\nMCow", "PKCS #8", "-m PKCS8"),
        ("-----BEGIN RSA PUBLIC KEY-----\nMIIB", "form of OpenSSL", "-m PEM"),
        ("-----BEGIN CERTIFICATE-----\nMIIB", "for TLS", ".pub file"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME", "PGP", "gpg --export-ssh-key"),
    ],
)
def test_other_forms(text: str, message: str, hint: str) -> None:
    """The whole text tells them."""
    error = of_text(text)
    assert error is not None
    assert (message in error.message, hint in (error.hint or "")) == (True, True), error
    assert error.exit_code == 2


LINES = [
    ("ssh-dss AAAAB3NzaC1kc3M x", "DSA keys are not secure", "ssh-keygen -t ed25519"),
    (f"ssh-ed25519-cert-v01@openssh.com {BODY} x", "is an SSH certificate", "ssh_ca"),
    (f"sk-ssh-ed25519-cert-v01@openssh.com {BODY}", "is an SSH certificate", "without -cert"),
    (f"restrict ssh-rsa-cert-v01@openssh.com {BODY}", "is an SSH certificate", "without -cert"),
    (f'command="echo Please login as ubuntu" {KEY}', "line of authorized_keys", KEY),
    (f"no-pty,No-X11-forwarding {KEY} x", "line of authorized_keys", KEY),
    (f'restrict,from="10.0.0.0/8" {SK}', "line of authorized_keys", SK),
    (f'cert-authority,principals="a" {KEY}', "accepts a CA's certificates", "ssh_ca"),
    (f"apps.example.com {KEY}", "known_hosts: the key of a server ('apps.example.com')", ".pub"),
    (f"|1|c2FsdA==|aGFzaA== {KEY}", "line of known_hosts", ".pub"),
    (f"[192.0.2.1]:2222 {KEY}", "line of known_hosts", ".pub"),
    (f"@cert-authority *.example.com {KEY}", "line of known_hosts", ".pub"),
    (f"a,b 256 {KEY}", "line of known_hosts", ".pub"),
    (f"here is my key: {KEY}", "text before the key: 'here is my key: '", f"alone: {KEY}"),
    (f'"{KEY}"', "text before the key", f"alone: {KEY}"),
    (f"\u201c{KEY}\u201d", "text before the key", f"alone: {KEY}"),
    (FINGERPRINT, "is the fingerprint", ".pub"),
    (f"256 {FINGERPRINT} alice@laptop (ED25519)", "is the fingerprint", ".pub"),
    (f"2048 MD5:{MD5} alice (RSA)", "is the fingerprint", ".pub"),
    (f"{BODY} alice@laptop", "The first word of the key is missing", "ssh-ed25519"),
]


@pytest.mark.parametrize(("line", "message", "hint"), LINES)
def test_other_lines(line: str, message: str, hint: str) -> None:
    """Each is told apart; the key within is repeated where it can be used."""
    error = of_line(line)
    assert error is not None
    assert (message in error.message, hint in (error.hint or "")) == (True, True), error
    assert error.exit_code == 2
    assert error.message.isprintable()


@pytest.mark.parametrize("line", [KEY, f"{KEY} al ice", SK, "hello", "ssh-ed448 AAAA", "-", '"'])
def test_what_is_not_known(line: str) -> None:
    """A key, or nothing that a remedy is known for."""
    assert of_line(line) is None


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        ([KEY, SK, KEY], "There are 3 public keys", "For each of them"),
        ([f"restrict {KEY}", KEY], "There are 2 public keys", "For each of them"),
        ([f"a.example.com {KEY}", f"b.example.com {KEY}"], "line of known_hosts", ".pub"),
        ([f"{KEY[:40]}", KEY[40:70], f"{KEY[70:]} x"], "broken into 3 lines", "Join them"),
        ([f"{KEY} alice", "hello there!"], "one line; the input has 2", ".pub"),
        (["hello", "there"], "one line; the input has 2", ".pub"),
    ],
)
def test_several_lines(lines: list[str], message: str, hint: str) -> None:
    """Several keys, or one that was wrapped."""
    error = of_lines(lines)
    assert isinstance(error, PaasError)
    assert (message in error.message, hint in (error.hint or "")) == (True, True), error


def test_private_keys() -> None:
    """A public key in PEM is none."""
    assert is_private("\n-----BEGIN EC PRIVATE KEY-----\n")
    assert is_private("\nPuTTY-User-Key-File-2: ssh-rsa\n")
    assert not is_private("-----BEGIN PUBLIC KEY-----\n")
