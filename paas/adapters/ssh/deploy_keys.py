"""Key pairs for apps, to log in to other servers with."""

from paas.domain.git.credentials import DeployKey
from paas.domain.values.secret import Secret


def new_deploy_key(comment: str) -> DeployKey:
    """A new Ed25519 key pair in OpenSSH's forms."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return DeployKey(Secret(private.decode()), f"{public.decode()} {comment}")
