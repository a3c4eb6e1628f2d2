"""Creates the sites of many apps, without instances. Runs in the server's own Python.

``sites.py ETC COUNT`` makes so many apps in all, including those that were pushed: a row in the
store, with a domain, and a site in the proxy for a closed port. ``sites.py ETC change ROUNDS``
times the proxy's own change of one of them: render, write, test, reload, until no worker with the
former file accepts connections.
"""

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from paas.domain.apps.apps import App
from paas.domain.routing.endpoints import on_loopback
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Site
from paas.domain.values.names import AppName
from paas.settings import load
from paas.wiring.adapters import server_adapters
from paas.wiring.services import Services, all_services

PREFIX = "site-"
CLOSED_PORT = 9


def put_up(services: Services, count: int) -> None:
    """Make exactly so many apps, at least those that were pushed; reload the proxy once."""
    present = _ours(services)
    count = max(0, count - (len(services.store.apps.all()) - len(present)))
    for app in present[count:]:
        services.store.apps.remove(app.id)
    for number in range(len(present) + 1, count + 1):
        app = services.store.apps.add(AppName(f"{PREFIX}{number}"), None, datetime.now(UTC))
        services.store.routing.set(app.id, Routing(domains=(f"{app.name}.example.com",)))
    live = [app for app in services.store.apps.all() if app.current is not None]
    sites = [services.sites.present(app) for app in live]
    services.proxy.restore([*sites, *(_site(services, app) for app in _ours(services))])
    services.proxy.drain(30)


def change(services: Services, rounds: int) -> list[float]:
    """The seconds of each change of a site."""
    site = _site(services, _ours(services)[0])
    took_s = []
    for number in range(rounds):
        changed = replace(site, hosts=(*site.hosts, f"round-{number}.example.com"))
        started = time.perf_counter()
        services.proxy.apply(changed)
        took_s.append(time.perf_counter() - started)
        services.proxy.drain(30)
    services.proxy.apply(site)
    return took_s


def _site(services: Services, app: App) -> Site:
    return Site(app.id, services.sites.names(app), (on_loopback(CLOSED_PORT),))


def _ours(services: Services) -> list[App]:
    return [app for app in services.store.apps.all() if app.name.startswith(PREFIX)]


def main(argv: list[str]) -> None:
    """Run the command; print the result."""
    services = all_services(server_adapters(load(Path(argv[0]) / "server.yml")))
    if argv[1] == "change":
        print(json.dumps(change(services, int(argv[2]))))
    else:
        put_up(services, int(argv[1]))
        print(json.dumps(len(_ours(services))))


if __name__ == "__main__":
    main(sys.argv[1:])
