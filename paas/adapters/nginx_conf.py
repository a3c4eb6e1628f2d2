"""The text of nginx's files, from nginx-templates/. Pure: nothing is read but the templates.

Only numbers, DNS names and paths that were checked here by fullmatch are ever rendered; anything
else is refused. Directives: https://nginx.org/en/docs/dirindex.html.
"""

import re
from collections.abc import Set
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from paas.domain.errors import PaasError
from paas.domain.names import shown
from paas.domain.sites import Site
from paas.settings import Settings

TEMPLATES = Path(__file__).parents[2] / "nginx-templates"

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

ONCE_ONLY = (
    "server_names_hash_bucket_size",
    "server_names_hash_max_size",
    "worker_rlimit_nofile",
    "worker_shutdown_timeout",
)

HOST_MAX = 253
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PATH = re.compile(r"/[A-Za-z0-9 ._/@%+=:,~-]*")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


def render_site(site: Site, settings: Settings, *, ipv6: bool) -> str:
    """One app's file. Raises PaasError where a host, port or id is not one."""
    if not site.hosts:
        raise PaasError("site-host", f"The site of app {site.app_id} has no host.")
    app_id = _number("site-id", site.app_id, 1, 2**63)
    return _render(
        "site.conf.j2",
        app_id=app_id,
        hosts=[_host(host) for host in site.hosts],
        ports=[_number("site-port", port, 1, 65535) for port in site.ports],
        log=_path(router_log(settings, site.app_id)),
        **_folder(site),
        closed=site.closed,
        page=_path(site.page) if site.page else None,
        page_folder=_path(site.page.parent) if site.page else None,
        http_port=_number("http-port", settings.http_port, 1, 65535),
        cleared_headers=CLEARED_HEADERS,
        ipv6=ipv6,
    )


def _folder(site: Site) -> dict[str, str | None]:
    """What the template says of a folder of files; validated there, where they are made."""
    folder = site.folder
    if folder is None:
        return {"root": None, "slug": None, "fallback": None, "error_page": None}
    files = folder.files
    root = folder.slug if files.root == "." else folder.slug / files.root
    return {
        "root": _path(root),
        "slug": _path(folder.slug),
        "fallback": _path(Path("/", files.fallback)) if files.fallback else None,
        "error_page": _path(Path("/", files.error_page)) if files.error_page else None,
    }


def own_directives(nginx_conf: str) -> frozenset[str]:
    """Those directives of ours that a machine's own nginx.conf has: twice, nginx refuses them."""
    return frozenset(
        name
        for name in ONCE_ONLY
        if re.search(rf"^[ \t]*{name}[ \t]", nginx_conf, re.MULTILINE) is not None
    )


def render_http(settings: Settings, *, ipv6: bool, omit: Set[str] = frozenset()) -> str:
    """What belongs in nginx's http block once: log format, maps, unknown hosts, the sites.

    omit: directives to leave to the machine's own nginx.conf, see `own_directives`.
    """
    return _render(
        "http.conf.j2",
        http_port=_number("http-port", settings.http_port, 1, 65535),
        sites=_path(sites_directory(settings)),
        ipv6=ipv6,
        omit=omit,
    )


def render_main(settings: Settings, *, omit: Set[str] = frozenset()) -> str:
    """What belongs at the main level of the system's nginx.conf (modules-enabled on Debian)."""
    return _render("main.conf.j2", worker_limit_ms=_worker_limit_ms(settings), omit=omit)


def render_nginx(settings: Settings) -> str:
    """The whole nginx.conf of an embedded server. It says ``daemon off``: a supervisor runs it."""
    if _ACCOUNT.fullmatch(settings.proxy_user) is None:
        raise PaasError("proxy-user", f"{shown(settings.proxy_user)} is not an account's name.")
    return _render(
        "nginx.conf.j2",
        proxy_user=settings.proxy_user,
        worker_limit_ms=_worker_limit_ms(settings),
        omit=frozenset(),
        pid=_path(settings.nginx_pid),
        error_log=_path(settings.state / "logs" / "nginx-error.log"),
        temporary=_path(settings.state / "nginx" / "tmp"),
        http_conf=_path(settings.nginx_http_conf),
    )


def sites_directory(settings: Settings) -> Path:
    """Where the apps' files are."""
    return settings.state / "nginx" / "sites"


def router_log(settings: Settings, app_id: int) -> Path:
    """Where nginx logs an app's requests."""
    return settings.state / "logs" / str(app_id) / "router.log"


def load_templates() -> None:
    """Compile the templates once; processes that are forked later need not (5 ms each)."""
    for name in ("site.conf.j2", "http.conf.j2"):
        _environment().get_template(name)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - nginx's files are no HTML; values are checked here
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values)


def _worker_limit_ms(settings: Settings) -> int:
    return _number("worker-limit", int(settings.worker_limit_s * 1000), 1, 2**31)


def _host(text: str) -> str:
    if len(text) > HOST_MAX or _HOST.fullmatch(text) is None:
        raise PaasError("site-host", f"{shown(text)} is not a host name that can be served.")
    return text


def _path(path: Path) -> str:
    if _PATH.fullmatch(str(path)) is None:
        raise PaasError("site-path", f"{shown(str(path))} cannot stand in nginx's files.")
    return str(path)


def _number(reference: str, value: int, first: int, last: int) -> int:
    if type(value) is not int or not first <= value <= last:
        raise PaasError(reference, f"{value!r} is not a number from {first} to {last}.")
    return value
