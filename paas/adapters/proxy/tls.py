"""TLS of both proxies: Mozilla's intermediate profile, and which curves their OpenSSL knows."""

import re

from paas.adapters.system.subprocesses import run

CIPHERS = ":".join(
    f"ECDHE-{kind}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for kind in ("ECDSA", "RSA")
)
CURVES = "X25519:prime256v1:secp384r1"
# OpenSSL refuses a list with a name that it does not know.
POST_QUANTUM_SINCE = (3, 5)

# As ``nginx -V`` and ``haproxy -vv`` print it; what a program runs with counts, else what it was
# built with, which nginx prints alone where both are the same.
_RUNS_WITH = re.compile(r"(?:running with|Running on) OpenSSL (?:version : OpenSSL )?(\d+)\.(\d+)")
_BUILT_WITH = re.compile(r"(?:built|Built) with OpenSSL (?:version : OpenSSL )?(\d+)\.(\d+)")


def version_words(program: str, option: str) -> str:
    """What an installed program prints of its version and its OpenSSL."""
    done = run(
        [program, option],
        description=f"Asking {program} for its version",
        timeout_s=10.0,
        env={},
        check=False,
    )
    return done.output.decode(errors="replace")


def curves_of(words: str) -> str:
    """The curves to offer, from what a program prints of its OpenSSL."""
    openssl = _RUNS_WITH.search(words) or _BUILT_WITH.search(words)
    if openssl is not None and tuple(map(int, openssl.groups())) >= POST_QUANTUM_SINCE:
        return f"X25519MLKEM768:{CURVES}"
    return CURVES
