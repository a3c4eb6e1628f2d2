"""A proxy, a real issuer, and certbot between them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from paas.adapters.certificates.certbot import Certbot
from paas.domain.routing.sites import Site
from tests.contract.certificates.pebble_server import Pebble, pebble_server
from tests.contract.proxy.nginx_server import Nginx, application, nginx_server
from tests.endpoints import at


@pytest.fixture(scope="package")
def nginx() -> Iterator[Nginx]:
    """A proxy with one app that answers everything, challenges too, if it is let."""
    with nginx_server() as server, application() as app:
        hosts = ("shop", "other", "refused")
        names = (*(f"{host}.example.com" for host in hosts), "localhost")
        server.proxy.apply(Site(1, names, at(app.server_port)))
        yield server


@pytest.fixture(scope="package")
def pebble(nginx: Nginx) -> Iterator[Pebble]:
    """The issuer, which looks for challenges at that proxy."""
    with pebble_server(nginx.settings.http_port) as server:
        yield server


@pytest.fixture
def certbot(nginx: Nginx, pebble: Pebble) -> Certbot:
    """What asks it."""
    settings = replace(
        nginx.settings,
        acme_directory=pebble.directory,
        acme_ca_bundle=str(pebble.bundle),
        acme_email="ops@example.com",
        acme_port=nginx.settings.http_port,
    )
    return Certbot(settings)
