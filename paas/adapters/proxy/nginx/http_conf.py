"""The text of the files of nginx that all apps share. Pure."""

import re
from collections.abc import Set
from pathlib import Path

from paas.adapters.proxy.error_pages import pages_directory
from paas.adapters.proxy.nginx.escaping import (
    TEMPLATES,
    checked_number,
    listening,
    path_text,
    render,
    requests_max,
    trusted_networks,
)
from paas.adapters.proxy.nginx.site_conf import CLEARED_HEADERS, challenges_directory
from paas.adapters.proxy.nginx.static_files import NO_MODULES, Modules
from paas.adapters.proxy.nginx.tls import BASIC, NginxTls
from paas.adapters.proxy.web_site import WebSite
from paas.adapters.system.templates import load_all
from paas.domain.routing.tcp_ports import NO_PORTS
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.settings import Settings

ONCE_ONLY = (
    "server_names_hash_bucket_size",
    "server_names_hash_max_size",
    "stream",
    "worker_rlimit_nofile",
    "worker_shutdown_timeout",
)

# Where HAProxy sends requests whose bodies an app does not accept.
TOO_LARGE = "/.paas-too-large"
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


def own_directives(nginx_conf: str) -> frozenset[str]:
    """Which of our directives a machine's own nginx.conf has: nginx refuses duplicates."""
    return frozenset(
        name
        for name in ONCE_ONLY
        if re.search(rf"^[ \t]*{name}[ \t{{]", nginx_conf, re.MULTILINE) is not None
    )


def render_http(
    settings: Settings,
    *,
    ipv6: bool,
    omit: Set[str] = frozenset(),
    tls: NginxTls = BASIC,
    web: WebSite | None = None,
) -> str:
    """What belongs in nginx's http block once: log format, maps, unknown hosts, the sites.

    web: git over HTTP and the API, if the server has them. Behind HAProxy nginx has no part in it.
    omit: directives to leave to the machine's own nginx.conf, see `own_directives`.
    """
    return render(
        "http.conf.j2",
        **listening(settings, ipv6=ipv6),
        sites=path_text(sites_directory(settings)),
        error_pages=path_text(pages_directory(settings)),
        challenges=path_text(challenges_directory(settings)),
        errors={},
        again=False,
        too_large=TOO_LARGE,
        cleared_headers=CLEARED_HEADERS,
        omit=omit,
        tls=tls,
        requests_max=requests_max(settings) if settings.proxy == "nginx" else 0,
        balancers=trusted_networks(settings),
        web=web if settings.proxy == "nginx" else None,
    )


def render_main(
    settings: Settings, *, omit: Set[str] = frozenset(), modules: Modules = NO_MODULES
) -> str:
    """What belongs at the main level of the system's nginx.conf (modules-enabled on Debian)."""
    return render(
        "main.conf.j2",
        worker_limit_ms=_worker_limit_ms(settings),
        omit=omit,
        stream=has_streams(settings, modules) and "stream" not in omit,
        streams=path_text(settings.paths.nginx_streams),
    )


def has_streams(settings: Settings, modules: Modules) -> bool:
    """Whether nginx serves TCP ports of apps, if they have any."""
    return settings.proxy == "nginx" and settings.tcp_ports != NO_PORTS and modules.stream


def render_nginx(settings: Settings, *, modules: Modules = NO_MODULES) -> str:
    """The whole nginx.conf of an embedded server. It says ``daemon off``: a supervisor runs it."""
    if _ACCOUNT.fullmatch(settings.proxy_user) is None:
        raise PaasError("proxy-user", f"{shown(settings.proxy_user)} is not an account's name.")
    return render(
        "nginx.conf.j2",
        proxy_user=settings.proxy_user,
        worker_limit_ms=_worker_limit_ms(settings),
        worker_connections=checked_number(
            "worker-connections", settings.worker_connections, 64, 120_000
        ),
        omit=frozenset(),
        stream=has_streams(settings, modules),
        streams=path_text(settings.paths.nginx_streams),
        pid=path_text(settings.nginx_pid),
        error_log=path_text(settings.paths.nginx_error_log),
        temporary=path_text(settings.paths.nginx_tmp),
        http_conf=path_text(settings.nginx_http_conf),
    )


def sites_directory(settings: Settings) -> Path:
    """Where the apps' files are."""
    return settings.paths.nginx_sites


def load_templates() -> None:
    """Load the templates once; processes that are forked later need not."""
    load_all(TEMPLATES)


def _worker_limit_ms(settings: Settings) -> int:
    return checked_number("worker-limit", int(settings.worker_limit_s * 1000), 1, 2**31)
