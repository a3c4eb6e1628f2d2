"""How a health check addresses an app: by a name that visitors use, with their scheme."""

from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.certificates.certificates import AppCertificate, shown_for
from paas.domain.routing.routing import Routing

# Statuses that send a visitor to another address.
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Visit:
    """host: for the Host header. scheme: for X-Forwarded-Proto, http or https."""

    host: str
    scheme: str = "http"


def visit(
    routing: Routing, own: str, certificates: Sequence[AppCertificate], *, https: bool
) -> Visit:
    """As a visitor of the first name that answers: an app may refuse every other (Django does).

    own: the app's name below the server's domain, which is used if it has no other.
    https: whether the server has a port for it.
    """
    live = [own] if routing.own_host else []
    live += routing.domains
    exact = next((name for name in live if not name.startswith("*.")), None)
    # Below a wildcard any name will do.
    host = exact or next((f"www{name[1:]}" for name in live), own)
    secure = https and shown_for(certificates, host) is not None
    return Visit(host, "https" if secure else "http")
