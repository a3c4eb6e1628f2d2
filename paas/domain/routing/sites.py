"""What the proxy knows of an app: its names, its certificates, and where its instances listen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from paas.domain.builds.buildpacks import StaticFiles
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.hsts import Hsts
from paas.domain.routing.paths import PathRoute
from paas.domain.routing.router_settings import DEFAULTS, RouterSettings

HTTP_PORT = 80
HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Folder:
    """Files that the proxy serves itself. slug: the directory that no link may lead out of."""

    slug: Path
    files: StaticFiles


@dataclass(frozen=True, slots=True)
class SlugFolder:
    """A folder of a slug, which is there and is reached without a link."""

    slug: Path
    name: str


@dataclass(frozen=True, slots=True)
class Static:
    """Addresses below a path that a file answers, where there is one; the app answers the others.

    path: ``/static``, or ``/``. folders: where files are looked for, one after the other. cache:
    the header Cache-Control. hashed: names with a fingerprint may be kept for a year.
    """

    path: str
    folders: tuple[SlugFolder, ...]
    cache: str
    hashed: bool = False


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain and its key, and for which of the site's names they are shown.

    The files never change: a renewal makes new ones.
    """

    chain: Path
    key: Path
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """Every request for a name is sent to another one, path and query as they came.

    code: 301, 302, 307 or 308 (RFC 9110, 15.4).
    """

    host: str
    to: str
    code: int = 301


@dataclass(frozen=True, slots=True)
class Site:
    """One app's entry at the proxy. hosts: DNS names; endpoints: of its web instances.

    A host may begin with ``*.``: any name below, unless another site has that name itself.
    closed: every request is answered with 503 and the page, or a default one.
    No endpoints: the hosts answer with the folder's files, or 503 if there is none.
    deployed: false where no version was ever deployed, as the page then says, with 404.
    error_pages: by status (502, 503 where nothing runs, 504), what visitors see in place of a
    default. paths: of its hosts, which other apps answer. by_path: whether it may be such an app.
    tcp_ports: of the server, that lead to the endpoints.
    """

    app_id: int
    hosts: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    folder: Folder | None = None
    closed: bool = False
    page: Path | None = None
    certificates: tuple[Certificate, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    settings: RouterSettings = DEFAULTS
    statics: tuple[Static, ...] = ()
    error_pages: Mapping[int, Path] = field(default_factory=dict)
    deployed: bool = True
    paths: tuple[PathRoute, ...] = ()
    by_path: bool = False
    tcp_ports: tuple[int, ...] = ()

    @property
    def hsts(self) -> Hsts | None:
        """What is sent over HTTPS; None: nothing."""
        return self.settings.hsts

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that is the site's: those that answer and those that redirect."""
        return (*self.hosts, *(redirect.host for redirect in self.redirects))


def https_dead_end(site: Site, location: str) -> str | None:
    """The name of the site that a redirect leads to by HTTPS, where it has no certificate."""
    try:
        target = urlsplit(location)
        host = target.hostname
    except ValueError:
        return None
    secure = {name for certificate in site.certificates for name in certificate.hosts}
    if target.scheme != "https" or host in secure or host not in site.names:
        return None
    return host


@dataclass(frozen=True, slots=True)
class Server:
    """Names of a site that are answered alike on one of the two ports.

    certificate: None on the port for plain HTTP. redirect: to HTTPS of the same name where its
    ``to`` is empty; None if the app answers. paths: of these names, which other apps answer.
    """

    names: tuple[str, ...]
    certificate: Certificate | None = None
    redirect: Redirect | None = None
    paths: tuple[PathRoute, ...] = ()


def servers_of(site: Site) -> list[Server]:
    """How each name of the site is answered, over HTTP and HTTPS.

    A name with a certificate is answered over HTTPS; over HTTP it is redirected there.
    """
    secure = {host for certificate in site.certificates for host in certificate.hosts}
    plain = tuple(host for host in site.hosts if host not in secure)
    upgraded = tuple(host for host in site.hosts if host in secure)
    servers = _answering(site, Server(plain))
    servers += _answering(site, Server(upgraded, redirect=Redirect("", "", 301)))
    for certificate in site.certificates:
        shown = tuple(host for host in certificate.hosts if host in site.hosts)
        servers += _answering(site, Server(shown, certificate))
    for redirect in site.redirects:
        servers.append(Server((redirect.host,), redirect=redirect))
        servers += [
            Server((redirect.host,), certificate, redirect)
            for certificate in site.certificates
            if redirect.host in certificate.hosts
        ]
    return servers


def _answering(site: Site, server: Server) -> list[Server]:
    """The same, with a server of its own for each name that has paths of other apps."""
    found = {name: [path for path in site.paths if path.host == name] for name in server.names}
    plain = tuple(name for name, paths in found.items() if not paths)
    servers = [replace(server, names=plain)] if plain else []
    return servers + [
        replace(server, names=(name,), paths=tuple(paths)) for name, paths in found.items() if paths
    ]
