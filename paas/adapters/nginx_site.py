"""The text of one app's file for nginx, nginx-templates/site.conf.j2. Pure."""

from pathlib import Path

from paas.adapters.nginx_text import checked_number, host_text, path_text, render
from paas.domain.errors import PaasError
from paas.domain.sites import HTTPS_PORT, Redirect, Server, Site, servers_of
from paas.settings import Settings

# Request headers that never reach an app from outside: Werkzeug's ProxyFix, Gunicorn or another
# common server believes them when it trusts its proxy, and this proxy speaks through
# X-Forwarded-For, -Proto and -Host. Each costs time on every request: 22 of them cost 4 %.
CLEARED_HEADERS = (
    "Forwarded",
    "Proxy",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Protocol",
    "X-Forwarded-Ssl",
    "X-Original-URL",
    "X-Rewrite-URL",
)


def render_site(site: Site, settings: Settings, *, ipv6: bool) -> str:
    """One app's file. Raises PaasError where a host, port or id is not one."""
    if not site.names:
        raise PaasError("site-host", f"The site of app {site.app_id} has no host.")
    app_id = checked_number("site-id", site.app_id, 1, 2**63)
    return render(
        "site.conf.j2",
        app_id=app_id,
        servers=[_server(server, site, settings) for server in servers_of(site)],
        ports=[checked_number("site-port", port, 1, 65535) for port in site.ports],
        log=path_text(router_log(settings, site.app_id)),
        challenges=path_text(challenges_directory(settings)),
        **_folder(site),
        closed=site.closed,
        page=path_text(site.page) if site.page else None,
        page_folder=path_text(site.page.parent) if site.page else None,
        http_port=checked_number("http-port", settings.http_port, 1, 65535),
        https_port=checked_number("https-port", settings.https_port, 0, 65535),
        cleared_headers=CLEARED_HEADERS,
        ipv6=ipv6,
    )


def router_log(settings: Settings, app_id: int) -> Path:
    """Where nginx logs an app's requests."""
    return settings.state / "logs" / str(app_id) / "router.log"


def challenges_directory(settings: Settings) -> Path:
    """Where answers to ACME's HTTP-01 challenges are (RFC 8555, 8.3), of all apps."""
    return settings.state / "acme" / "challenges"


def _server(server: Server, site: Site, settings: Settings) -> dict[str, object]:
    """What the template says of a server block."""
    certificate = server.certificate
    return {
        "names": [host_text(name) for name in server.names],
        "chain": path_text(certificate.chain) if certificate else None,
        "key": path_text(certificate.key) if certificate else None,
        "target": _target(server.redirect, site, settings) if server.redirect else None,
        "code": _code(server.redirect) if server.redirect else None,
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
    """What the template says of a folder of files; validated there, where they are made."""
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
