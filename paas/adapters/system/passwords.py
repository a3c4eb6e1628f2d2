"""Hashes of passwords, as nginx and HAProxy check them: by crypt(3)."""

from paas.domain.values.secret import Secret

# The proxy checks the password with every request: 2**5 rounds take 2 ms, bcrypt's usual 2**12
# would let a few requests per second stop it. A guesser is slowed by the rate limit instead.
ROUNDS = 5


def hash_password(password: Secret) -> str:
    """Salted; in the form ``$2b$05$...``."""
    import bcrypt

    plain = password.reveal().encode("utf-8", "surrogateescape")
    return bcrypt.hashpw(plain, bcrypt.gensalt(ROUNDS)).decode()
