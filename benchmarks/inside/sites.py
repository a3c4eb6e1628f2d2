"""Puts the sites of many apps on the server, without instances. Runs in the server's own Python.

``sites.py ETC COUNT`` has so many apps in all, those that were pushed among them: a row in the
store, with a domain, and a site in the proxy before a port that is closed. ``sites.py ETC change
ROUNDS`` times the proxy's own change of one of them: rendered, written, tested, reloaded, and no
worker with the former file left that accepts connections.
"""

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from paas import wiring
from paas.domain.apps.apps import App
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Site
from paas.domain.values.names import AppName
from paas.settings import load

PREFIX = "site-"
CLOSED_PORT = 9


def put_up(platform: wiring.Platform, count: int) -> None:
    """Have exactly so many apps, or those that were pushed; the proxy is reloaded once."""
    present = _ours(platform)
    count = max(0, count - (len(platform.store.apps.all()) - len(present)))
    for app in present[count:]:
        platform.store.apps.remove(app.id)
    for number in range(len(present) + 1, count + 1):
        app = platform.store.apps.add(AppName(f"{PREFIX}{number}"), None, datetime.now(UTC))
        platform.store.routing.set(app.id, Routing(domains=(f"{app.name}.example.com",)))
    live = [app for app in platform.store.apps.all() if app.current is not None]
    sites = [platform.sites.present(app) for app in live]
    platform.proxy.restore([*sites, *(_site(platform, app) for app in _ours(platform))])
    platform.proxy.drain(30)


def change(platform: wiring.Platform, rounds: int) -> list[float]:
    """Seconds of each change of a site."""
    site = _site(platform, _ours(platform)[0])
    took_s = []
    for number in range(rounds):
        changed = replace(site, hosts=(*site.hosts, f"round-{number}.example.com"))
        started = time.perf_counter()
        platform.proxy.apply(changed)
        took_s.append(time.perf_counter() - started)
        platform.proxy.drain(30)
    platform.proxy.apply(site)
    return took_s


def _site(platform: wiring.Platform, app: App) -> Site:
    return Site(app.id, platform.sites.names(app), (CLOSED_PORT,))


def _ours(platform: wiring.Platform) -> list[App]:
    return [app for app in platform.store.apps.all() if app.name.startswith(PREFIX)]


def main(argv: list[str]) -> None:
    """Do what the words say; print what was found."""
    platform = wiring.build(load(Path(argv[0]) / "server.yml"))
    if argv[1] == "change":
        print(json.dumps(change(platform, int(argv[2]))))
    else:
        put_up(platform, int(argv[1]))
        print(json.dumps(len(_ours(platform))))


if __name__ == "__main__":
    main(sys.argv[1:])
