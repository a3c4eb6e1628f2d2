"""Which curves this machine's HAProxy knows: its OpenSSL may be another than nginx's."""

from pathlib import Path

from paas.adapters.proxy.haproxy.conf import HAPROXY
from paas.adapters.proxy.tls import CURVES, curves_of, version_words


def installed_curves() -> str:
    """Those to offer to clients; asked whenever the shared files are rendered, which is rare."""
    if not Path(HAPROXY).exists():
        return CURVES
    return curves_of(version_words(HAPROXY, "-vv"))
