"""The request that an app's health checks make, from what the store knows."""

from paas.domain.apps.apps import App
from paas.domain.routing.addresses import Addresses
from paas.domain.routing.visits import Visit, visit
from paas.store import Store


def visit_of(app: App, store: Store, addresses: Addresses) -> Visit:
    """Under a name that is live now, with the scheme that its visitors use."""
    return visit(
        store.routing.of_app(app.id),
        addresses.host(app.name),
        [*store.certificates.of_app(app.id), *store.shared_certificates.all()],
        https=bool(addresses.https_port),
    )
