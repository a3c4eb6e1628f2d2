"""Fingerprints of public keys."""

import base64
import hashlib


def fingerprint(body: str) -> str:
    """That of a key's base64, as ``ssh-keygen -l`` prints it (RFC 4648 without padding)."""
    digest = hashlib.sha256(base64.b64decode(body)).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
