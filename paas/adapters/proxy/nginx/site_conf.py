"""The text of one app's file for nginx, nginx-templates/site.conf.j2. Pure."""

import hashlib
import re
from pathlib import Path

from paas.adapters.proxy.access_log_file import router_log
from paas.adapters.proxy.nginx.escaping import (
    checked_number,
    host_text,
    listening,
    path_text,
    render,
    requests_max,
    trusted_networks,
)
from paas.adapters.proxy.nginx.static_files import NO_MODULES, Modules, error_values, static_values
from paas.adapters.proxy.nginx.tls import BASIC, NginxTls
from paas.adapters.proxy.remote import REPEAT_S, TRIES, connect_timeout, is_remote
from paas.domain.routing.endpoints import LOOPBACK, Endpoint
from paas.domain.routing.paths import PathRoute, path_prefix
from paas.domain.routing.router_settings import header_name, header_value
from paas.domain.routing.sites import HTTPS_PORT, Redirect, Server, Site, servers_of
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.settings import Settings

# Request headers that never reach an app from outside: Werkzeug's ProxyFix, Gunicorn or another
# common server believes them when it trusts its proxy, and this proxy uses X-Forwarded-For, -Proto
# and -Host. Script-Name and Path-Info are named in Gunicorn's setting forwarder_headers. Each costs
# time on every request: 22 of them cost 4 %.
CLEARED_HEADERS = (
    "Forwarded",
    "Path-Info",
    "Proxy",
    "Script-Name",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Protocol",
    "X-Forwarded-Scheme",
    "X-Forwarded-Ssl",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Scheme",
    "X-Script-Name",
)

# Those that this nginx tells apps nothing of itself: X-Forwarded-Prefix is for paths of hosts.
_UNTOLD_HEADERS = tuple(name for name in CLEARED_HEADERS if name != "X-Forwarded-Prefix")

# What the proxy or HTTP itself says about a request. If underscores replace dashes, WSGI and CGI
# cannot tell the header from the real one.
SAID_HEADERS = (
    "Content-Length",
    "Content-Type",
    "Transfer-Encoding",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Request-Id",
)

# As in upstream.conf.j2.
_INSTANCE = re.compile(rb"^( +server )[0-9.]+:[0-9]+( max_fails=0;)$", re.MULTILINE)


def differs_in_endpoints_alone(former: bytes | None, text: str) -> bool:
    """Whether nginx, having accepted the former text, accepts this one: only instances differ.

    A container has another address than the one that it replaces, with the same port.
    """
    if former is None:
        return False
    plain = rb"\g<1>0\g<2>"
    return _INSTANCE.sub(plain, former) == _INSTANCE.sub(plain, text.encode())


def look_alikes(name: str) -> list[str]:
    """A header's name with underscores for one dash or more: X_Real-IP, X-Real_IP, X_Real_IP."""
    words = name.split("-")
    found = [words[0]]
    for word in words[1:]:
        found = [f"{head}{mark}{word}" for head in found for mark in "-_"]
    return [other for other in found if other != name]


# What is worth compressing; images and archives are already compressed.
COMPRESSIBLE = (
    "text/css text/javascript text/plain text/xml application/javascript application/json "
    "application/xml application/manifest+json image/svg+xml"
)


def render_site(
    site: Site,
    settings: Settings,
    *,
    ipv6: bool,
    tls: NginxTls = BASIC,
    modules: Modules = NO_MODULES,
) -> str:
    """One app's file. Raises PaasError if a host, port or id is invalid."""
    if not site.names:
        raise PaasError("site-host", f"The site of app {site.app_id} has no host.")
    server_trusted = trusted_networks(settings) if settings.proxy == "nginx" else []
    app_id = checked_number("site-id", site.app_id, 1, 2**63)
    remote = is_remote(site, settings)
    return render(
        "site.conf.j2",
        app_id=app_id,
        servers=[
            *(_server(server, site, settings) for server in servers_of(site)),
            *([_inner_server(site)] if site.by_path else []),
        ],
        endpoints=site.endpoints,
        remote=remote,
        repeat_s=REPEAT_S if remote else 10,
        connect_timeout=connect_timeout(site, settings),
        remote_tries=TRIES,
        log=path_text(router_log(settings, site.app_id)),
        challenges=path_text(challenges_directory(settings)),
        **_folder(site),
        closed=site.closed,
        deployed=site.deployed,
        again=bool(site.endpoints) and not site.closed,
        **error_values(site, settings),
        statics=static_values(site),
        paths=list(path_values(site).values()),
        by_path=site.by_path,
        cookie=cookie_name(site),
        brotli_static=modules.brotli_static,
        **listening(settings, ipv6=ipv6),
        cleared_headers=(*_UNTOLD_HEADERS, *(_look_alikes() if site.settings.underscores else ())),
        settings=site.settings,
        headers=[_header(name, text) for name, text in site.settings.headers.items()],
        logins=path_text(logins_file(settings, site)) if site.settings.users else None,
        compressible=COMPRESSIBLE,
        sticky=_sticky(site),
        trusted=[*site.settings.trusted, *server_trusted],
        requests_max=requests_max(settings) if settings.proxy == "nginx" else 0,
        scheme_of_balancer=bool(site.settings.trusted or server_trusted)
        and not (settings.proxy_protocol and settings.proxy == "nginx"),
        tls=tls,
        hsts=site.hsts.value if site.hsts else None,
    )


def _look_alikes() -> list[str]:
    return [other for name in (*CLEARED_HEADERS, *SAID_HEADERS) for other in look_alikes(name)]


def instance_word(endpoint: Endpoint) -> str:
    """An instance's name among those of the server: on loopback its port alone."""
    if endpoint.host == LOOPBACK:
        return str(endpoint.port)
    return f"{endpoint.host}-{endpoint.port}"


def cookie_word(app_id: int, endpoint: Endpoint) -> str:
    """What a client's cookie has for an instance; it does not give the endpoint away."""
    return hashlib.sha256(f"{app_id}:{instance_word(endpoint)}".encode()).hexdigest()[:16]


def cookie_name(site: Site) -> str:
    """Of the cookie for sticky sessions. Apps that have paths of one host need one each."""
    return f"paas_instance_{site.app_id:d}" if site.by_path else "paas_instance"


def _sticky(site: Site) -> list[tuple[str, Endpoint]]:
    """For each instance the word that a client's cookie has."""
    if not site.settings.sticky or len(site.endpoints) < 2:
        return []
    return [(cookie_word(site.app_id, endpoint), endpoint) for endpoint in site.endpoints]


def logins_file(settings: Settings, site: Site) -> Path:
    """The logins of the app. Named after its content, so that it changes with the site."""
    digest = hashlib.sha256(render_logins(site).encode()).hexdigest()[:16]
    return settings.paths.nginx_logins / f"{site.app_id:d}-{digest}"


def render_logins(site: Site) -> str:
    """The text of that file: name and hash in each line."""
    users = sorted(site.settings.users.items())
    for pair in users:
        if any(re.fullmatch(r"[A-Za-z0-9.$/@_-]+", word) is None for word in pair):
            raise PaasError(
                "site-login", f"The login {shown(pair[0])} has characters that are not allowed."
            )
    return "".join(f"{user}:{hashed}\n" for user, hashed in users)


def _header(name: str, text: str) -> tuple[str, str]:
    """A header to add; validated again where it becomes a directive."""
    return header_name(name), header_value(text)


def challenges_directory(settings: Settings) -> Path:
    """Where answers to ACME's HTTP-01 challenges are (RFC 8555, 8.3), of all apps."""
    return settings.paths.acme_challenges


def _server(server: Server, site: Site, settings: Settings) -> dict[str, object]:
    """The template's values for a server block."""
    certificate = server.certificate
    return {
        "names": [host_text(name) for name in server.names],
        "wildcard": any(name.startswith("*.") for name in server.names),
        "chain": path_text(certificate.chain) if certificate else None,
        "key": path_text(certificate.key) if certificate else None,
        "target": _target(server.redirect, site, settings) if server.redirect else None,
        "code": _code(server.redirect) if server.redirect else None,
        "upgrade": server.redirect is not None and not server.redirect.to,
        "paths": [path_values(site)[path] for path in server.paths],
        "statics": [
            value
            for value, static in zip(static_values(site), site.statics, strict=False)
            if not any(path.has(static.path) for path in server.paths)
        ],
        "inner": False,
    }


def inner_name(app_id: int) -> str:
    """The name of an app's server for requests by paths of hosts; no host is named like that."""
    return f"_paas_{checked_number('site-id', app_id, 1, 2**63)}"


def _inner_server(site: Site) -> dict[str, object]:
    """The template's values for that server."""
    return {
        "names": [inner_name(site.app_id)],
        "wildcard": False,
        "chain": None,
        "key": None,
        "target": None,
        "code": None,
        "upgrade": False,
        "paths": [],
        "statics": static_values(site),
        "inner": True,
    }


def path_values(site: Site) -> dict[PathRoute, dict[str, object]]:
    """The template's values for each path of the site's hosts that another app answers."""
    return {
        path: {
            "path": path_prefix(path.path),
            "pattern": path_prefix(path.path).replace(".", "[.]"),
            "strip": path.strip,
            "inner": inner_name(path.app_id),
            "variable": f"$paas_path_{site.app_id:d}_{number:d}",
            "rest": f"paas_rest_{site.app_id:d}_{number:d}",
        }
        for number, path in enumerate(site.paths)
    }


def _target(redirect: Redirect, site: Site, settings: Settings) -> str:
    """Scheme, host and port that a redirect leads to."""
    secure = {host for certificate in site.certificates for host in certificate.hosts}
    if redirect.to and redirect.to not in secure:
        port = "" if settings.http_port == 80 else f":{settings.http_port}"
        return f"http://{host_text(redirect.to)}{port}"
    port = "" if settings.https_port == HTTPS_PORT else f":{settings.https_port}"
    return f"https://{host_text(redirect.to) if redirect.to else '$host'}{port}"


def _code(redirect: Redirect) -> int:
    if redirect.code not in {301, 302, 307, 308}:
        raise PaasError("site-redirect", f"{redirect.code!r} is not a redirect's status.")
    return redirect.code


def _folder(site: Site) -> dict[str, str | None]:
    """The template's values for a folder of files; validated in the template."""
    folder = site.folder
    if folder is None:
        return {"root": None, "slug": None, "fallback": None, "error_page": None}
    files = folder.files
    root = folder.slug if files.root == "." else folder.slug / files.root
    return {
        "root": path_text(root),
        "slug": path_text(folder.slug),
        "fallback": path_text(Path("/", files.fallback)) if files.fallback else None,
        "error_page": path_text(Path("/", files.error_page)) if files.error_page else None,
    }
