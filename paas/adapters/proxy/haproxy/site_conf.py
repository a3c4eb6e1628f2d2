"""The text of one app's files for HAProxy: its backends, its names, its certificates. Pure."""

import hashlib
import ipaddress
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from paas.adapters.proxy.haproxy.escaping import directory, plain_path, quoted, render
from paas.adapters.proxy.nginx.escaping import checked_number, host_text, trusted_networks
from paas.adapters.proxy.nginx.http_conf import TOO_LARGE
from paas.adapters.proxy.nginx.site_conf import (
    CLEARED_HEADERS,
    COMPRESSIBLE,
    SAID_HEADERS,
    cookie_name,
    cookie_word,
    inner_name,
    instance_word,
    look_alikes,
)
from paas.adapters.proxy.remote import CONNECT_TIMEOUT_MS, TRIES, connect_timeout, is_remote
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.paths import SEGMENTS_MAX, PathRoute, path_prefix
from paas.domain.routing.router_settings import RouterSettings, header_name, header_value
from paas.domain.routing.sites import HTTPS_PORT, Certificate, Redirect, Site, servers_of
from paas.domain.routing.statics import static_path
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.settings import Settings

CHECK = "check inter 2s fastinter 500ms downinter 500ms rise 1 fall 2"
# Two misses in a row may be a machine that is busy.
REMOTE_CHECK = "check inter 1s fastinter 500ms downinter 500ms rise 1 fall 3"
# Idle connections: each quarter of a second, half of those that were not needed are closed. HAProxy
# HAProxy 2.6 keeps no idle connections to a server that was added at runtime without pool-max-conn.
KEPT = "pool-purge-delay 250ms pool-max-conn 32"
# A shorter window is meaningless.
WINDOW_MIN_MS = 100
# RFC 9110, 7.6.1; HAProxy sets its own Connection header after that.
HOP_HEADERS = ("Connection", "HTTP2-Settings", "Keep-Alive", "Proxy-Connection", "TE")
# Balancers in front of each other.
HOPS_MAX = 10
LOOPBACK = ipaddress.ip_network("127.0.0.1")


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """What is written for an app. names: see `names_text`. pems: each certificate's file."""

    backend: str
    names: str
    pems: tuple[Path, ...]


def files_of(site: Site, settings: Settings) -> SiteFiles:
    """Raises PaasError if a host, port, path or id of the site is invalid."""
    if not site.names:
        raise PaasError("site-host", f"The site of app {site.app_id} has no host.")
    checked_number("site-id", site.app_id, 1, 2**63)
    return SiteFiles(
        _backend(site, settings),
        names_text(site, settings),
        tuple(pem_file(settings, site.app_id, certificate) for certificate in site.certificates),
    )


def nginx_part(site: Site) -> Site | None:
    """What nginx serves of a site behind HAProxy; None if it serves nothing.

    Access and rate limits have been applied by then, and HAProxy is trusted.
    """
    if not site.hosts or (_is_running(site) and not site.statics):
        return None
    plain = replace(
        site.settings,
        rate=None,
        connections=0,
        users={},
        allow=(),
        deny=(),
        trusted=(LOOPBACK,),
        sticky=False,
        headers={},
        hsts=None,
        gzip=False,
        brotli=False,
    )
    return replace(site, certificates=(), redirects=(), settings=plain, paths=(), tcp_ports=())


def _is_running(site: Site) -> bool:
    return bool(site.endpoints) and not site.closed


def backends_of(app_id: int) -> tuple[str, ...]:
    """An app's backends, with the same instances: for requests that may be repeated, for others,
    and for those that may have trailers.
    """
    return tuple(f"paas_{app_id:d}{ending}" for ending in ("", "_once", "_trailers"))


def instance_name(endpoint: Endpoint) -> str:
    """What HAProxy calls the instance that listens there."""
    return f"s{instance_word(endpoint)}"


def server_line(app_id: int, endpoint: Endpoint, *, sticky: bool, remote: bool = False) -> str:
    """An instance, as after ``server`` in a file and after ``add server BACKEND/`` at runtime.

    remote: whether it is on another machine.
    """
    check = REMOTE_CHECK if remote else CHECK
    cookie = f" cookie {cookie_word(app_id, endpoint)}" if sticky else ""
    return f"{instance_name(endpoint)} {endpoint} {check} {KEPT}{cookie}"


def names_text(site: Site, settings: Settings) -> str:
    """A line for each name on each port: ``http NAME ID KIND [TARGET]``, and for certificates.

    KIND: ``app``, ``upgrade`` (to HTTPS) or a redirect's status. A name of which paths are other
    apps' has ``- paths`` at the end, and for each path ``http-paths NAME/PATH/ ID KIND /PATH HOW``,
    with the other app's id; HOW: ``keep`` or ``strip`` and its number of segments. ``crt FILE NAME
    ...``: in a handshake for one of these names this certificate is shown.
    """
    lines = []
    for server in servers_of(site):
        scheme = "https" if server.certificate else "http"
        how = _how(server.redirect, site, settings)
        end = " - paths" if server.paths else ""
        lines += [f"{scheme} {host_text(name)} {site.app_id} {how}{end}" for name in server.names]
        lines += [f"{scheme}-paths {_path_line(path, how)}" for path in server.paths]
    for certificate in site.certificates:
        names = " ".join(host_text(name) for name in certificate.hosts)
        if names:
            lines.append(f"crt {pem_file(settings, site.app_id, certificate)} {names}")
    return "".join(line + "\n" for line in dict.fromkeys(lines))


def _path_line(path: PathRoute, how: str) -> str:
    """The words of a path's line."""
    prefix = path_prefix(path.path)
    action = f"strip{prefix.count('/')}" if path.strip else "keep"
    app_id = checked_number("site-id", path.app_id, 1, 2**63)
    return f"{host_text(path.host)}{prefix}/ {app_id} {how} {prefix} {action}"


def pem_file(settings: Settings, app_id: int, certificate: Certificate) -> Path:
    """Chain and key in one file, as HAProxy reads them; named after both, which never change."""
    source = f"{plain_path(certificate.chain)} {plain_path(certificate.key)}"
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    path = directory(settings) / "certs" / f"{app_id:d}-{digest}.pem"
    return Path(plain_path(path))


def _how(redirect: Redirect | None, site: Site, settings: Settings) -> str:
    if redirect is None:
        return "app"
    if not redirect.to:
        return "upgrade"
    if redirect.code not in {301, 302, 307, 308}:
        raise PaasError("site-redirect", f"{redirect.code!r} is not a redirect's status.")
    secure = {host for certificate in site.certificates for host in certificate.hosts}
    host = host_text(redirect.to)
    if redirect.to in secure:
        return f"{redirect.code} https://{host}{https_suffix(settings)}"
    port = "" if settings.http_port == 80 else f":{settings.http_port:d}"
    return f"{redirect.code} http://{host}{port}"


def https_suffix(settings: Settings) -> str:
    """What follows a host in an https address."""
    return "" if settings.https_port == HTTPS_PORT else f":{settings.https_port:d}"


def _backend(site: Site, settings: Settings) -> str:
    # Where nothing runs, HAProxy's files still say so where a port is none.
    lines = [server_line(site.app_id, one, sticky=False) for one in site.endpoints]
    endpoints = site.endpoints if lines and _is_running(site) else ()
    sticky = site.settings.sticky and len(endpoints) > 1
    remote = is_remote(site, settings)
    # If balancers use the PROXY protocol, their headers are not trusted.
    server_wide = [] if settings.proxy_protocol else trusted_networks(settings)
    trusted = [*server_wide, *site.settings.trusted]
    headers = site.settings.headers.items()
    return render(
        "site.cfg.j2",
        app_id=site.app_id,
        backends=backends_of(site.app_id),
        settings=site.settings,
        trusted=trusted,
        hops_max=HOPS_MAX,
        too_large=TOO_LARGE,
        limit=_limit(site.settings),
        users=[_login(*pair) for pair in sorted(site.settings.users.items())],
        headers=[(header_name(name), quoted(_text(value))) for name, value in headers],
        hsts=site.hsts.value if site.hsts else None,
        codes=sorted({redirect.code for redirect in site.redirects}),
        # A path is redirected as its host is.
        upgrades=bool(site.certificates) or site.by_path,
        by_path=site.by_path,
        segments_max=SEGMENTS_MAX,
        inner=inner_name(site.app_id),
        cookie=cookie_name(site),
        https_suffix=https_suffix(settings),
        closed=site.closed,
        files=nginx_part(site) is not None,
        files_port=settings.files_port,
        pages=_page_files(site, settings),
        prefixes=[_prefix(static.path) for static in site.statics],
        servers=[server_line(site.app_id, one, sticky=sticky, remote=remote) for one in endpoints],
        remote=remote,
        connect_timeout=connect_timeout(site, settings),
        connect_timeout_ms=CONNECT_TIMEOUT_MS,
        remote_tries=TRIES,
        sticky=sticky,
        removed_headers=[name.lower() for name in (*HOP_HEADERS, *CLEARED_HEADERS)],
        look_alikes=[
            other.lower()
            for name in (*CLEARED_HEADERS, *SAID_HEADERS)
            for other in look_alikes(name)
        ],
        compressible=COMPRESSIBLE,
    )


def _page_files(site: Site, settings: Settings) -> list[tuple[int, str]]:
    """The status of each of HAProxy's own answers that the app has a page for, and our copy."""
    statuses = {502: (502, 503), 504: (504,)} if _is_running(site) else {}
    return [
        (answered, plain_path(page_file(settings, site.app_id, status)))
        for status, answers in statuses.items()
        if status in site.error_pages
        for answered in answers
    ]


def page_file(settings: Settings, app_id: int, status: int) -> Path:
    """Our copy of an app's error page."""
    return directory(settings) / "pages" / f"{app_id:d}-{status:d}.html"


def _prefix(path: str) -> str:
    """What the addresses of static files begin with."""
    return quoted(static_path(path).removesuffix("/") + "/")


def _text(value: str) -> str:
    """A header's value; ``%`` begins a variable in HAProxy's."""
    return header_value(value).replace("%", "%%")


def _login(user: str, hashed: str) -> Sequence[str]:
    for word in (user, hashed):
        if re.fullmatch(r"[A-Za-z0-9.$/@_-]+", word) is None:
            raise PaasError(
                "site-login", f"The login {shown(user)} has characters that are not allowed."
            )
    return user, hashed


def _limit(settings: RouterSettings) -> dict[str, int] | None:
    """The number of requests and the window that are equivalent to nginx's rate and burst."""
    if settings.rate is None:
        return {"window_ms": 1000, "requests": 0, "expire_s": 60} if settings.connections else None
    per_request_ms = 1000 * settings.rate.per_s / settings.rate.requests
    window_ms = max(WINDOW_MIN_MS, round((settings.burst + 1) * per_request_ms))
    requests = max(1, math.ceil(window_ms / per_request_ms))
    return {"window_ms": window_ms, "requests": requests, "expire_s": window_ms // 1000 + 60}


def decoded_names(text: str) -> list[list[str]]:
    """The words of each line of `names_text`."""
    return [line.split() for line in text.splitlines()]
