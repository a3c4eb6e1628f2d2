"""What this machine's nginx knows of TLS, HTTP/2 and kept-alive connections."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from paas.adapters.proxy.nginx.process import NGINX
from paas.adapters.proxy.tls import CIPHERS, CURVES, curves_of, version_words

HTTP2_DIRECTIVE_SINCE = (1, 25, 1)
KEEPALIVE_MIN_SINCE = (1, 27, 4)


@dataclass(frozen=True, slots=True)
class NginxTls:
    """The templates' values.

    http2_directive, keepalive_min: whether ``http2 on`` and ``keepalive_min_timeout`` are known.
    """

    ciphers: str = CIPHERS
    curves: str = CURVES
    http2_directive: bool = False
    keepalive_min: bool = False


# What every supported nginx knows.
BASIC = NginxTls()


def tls_of(words: str) -> NginxTls:
    """From what ``nginx -V`` prints: its version, and that of the OpenSSL that it runs with."""
    nginx = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", words)
    version = tuple(map(int, nginx.groups())) if nginx is not None else (0,)
    return NginxTls(
        curves=curves_of(words),
        http2_directive=version >= HTTP2_DIRECTIVE_SINCE,
        keepalive_min=version >= KEEPALIVE_MIN_SINCE,
    )


def installed_tls() -> NginxTls:
    """The TLS support of this machine's nginx; determined once, until another is installed."""
    path = Path(NGINX)
    return _installed(path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=1)
def _installed(changed_ns: int) -> NginxTls:
    if not changed_ns:
        return BASIC
    return tls_of(version_words(NGINX, "-V"))
