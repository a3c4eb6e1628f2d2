"""Resolves a database elsewhere to an address to which users may have the server connect."""

import socket

from paas.adapters.logs.drain_sinks import is_own
from paas.domain.datastores.external import why_not_asked
from paas.domain.values.errors import PaasError
from paas.settings import Settings

CONNECT_LIMIT_S = 5.0


class NetworkReach:
    """`Reach`, with the machine's own resolver."""

    def __init__(self, settings: Settings) -> None:
        self._private = settings.private_networks

    def address(self, host: str, port: int) -> str:
        """See `Reach`: the address is what is checked, and what is then connected to."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise _unreachable(host, port, "its name has no address") from error
        why = "its name has no address"
        for family, kind, protocol, _, address in found:
            ip = str(address[0])
            refused = why_not_asked(ip, private=self._private)
            if refused is None and is_own(family, address):
                refused = "it is this server itself"
            if refused is not None:
                why = refused
                continue
            with socket.socket(family, kind, protocol) as made:
                made.settimeout(CONNECT_LIMIT_S)
                try:
                    made.connect(address)
                except TimeoutError:
                    why = f"it did not answer within {CONNECT_LIMIT_S:g} s"
                except OSError as error:
                    why = error.strerror or "the connection failed"
                else:
                    return ip
        raise _unreachable(host, port, why)


def _unreachable(host: str, port: int, why: str) -> PaasError:
    return PaasError(
        "external-unreachable",
        f"{host}:{port} cannot be reached from this server: {why}.",
        "Allow connections from this server's address there, then try again.",
    )
