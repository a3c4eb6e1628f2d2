"""What an upgrade renews while apps run on: the users' keys, the apps' sites, the drains."""

from paas.adapters.certificates.files import remove_staples
from paas.settings import Settings
from paas.wiring.adapters import server_adapters
from paas.wiring.services import all_services


def renew(settings: Settings) -> None:
    """Write what this version writes differently; former files go."""
    services = all_services(server_adapters(settings))
    services.reconcile.renew_keys()
    services.reconcile.renew_sites()
    services.drains.settle()
    remove_staples(settings.paths.former_staples)
