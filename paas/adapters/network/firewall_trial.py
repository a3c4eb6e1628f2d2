"""Tests whether the firewall protects the apps' ports by connecting as others would."""

import socket

from paas.adapters.network.attempts import connects
from paas.adapters.network.firewall import NftFirewall, cookies_are_all
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.values.errors import PaasError
from paas.settings import Settings

NOBODY = 65534


def firewall_fault(settings: Settings) -> str | None:
    """Why the rules do not work, in words; None if they do. Also tries an app's uid."""
    try:
        NftFirewall(settings).check_loaded()
    except PaasError as error:
        return error.report
    if cookies_are_all():
        return (
            "net.ipv4.tcp_syncookies is 2, so no answer tells whose it is: an app could answer "
            "for another with sockets that the kernel makes (set it to 1)"
        )
    listener = _listener(*settings.ports)
    if listener is None:
        return None  # every port of the range is in use; the rules are loaded
    with listener:
        port = listener.getsockname()[1]
        if not connects(0, LOOPBACK, port):
            return "the rules refuse root as well"
        if connects(NOBODY, LOOPBACK, port):
            return "the rules are loaded, but do not keep another account from an app's port"
        if connects(settings.sender_uid, LOOPBACK, port):
            return "the rules are loaded, but do not keep an app from another app's port"
    return None


def _listener(first: int, last: int) -> socket.socket | None:
    """A socket that listens on some port of the range, from its end."""
    for port in range(last, first - 1, -1):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(2)
        except OSError:
            listener.close()
        else:
            return listener
    return None
