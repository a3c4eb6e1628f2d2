"""The text of the files of HAProxy that all apps share. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.proxy.error_pages import KINDS, render_page
from paas.adapters.proxy.haproxy.escaping import (
    directory,
    log_socket,
    plain_path,
    render,
    template_text,
)
from paas.adapters.proxy.haproxy.site_conf import HOP_HEADERS, HOPS_MAX, decoded_names, https_suffix
from paas.adapters.proxy.nginx.escaping import (
    checked_health,
    checked_number,
    requests_max,
    trusted_networks,
)
from paas.adapters.proxy.nginx.site_conf import CLEARED_HEADERS
from paas.adapters.proxy.tcp_ports import IDLE_S
from paas.adapters.proxy.tls import CIPHERS
from paas.adapters.proxy.web_site import WebSite
from paas.settings import Settings

HAPROXY = "/usr/sbin/haproxy"
OPEN_FILES = 65_536
# The most that HAProxy accepts as an address and as headers. Its buffer also holds larger ones, so
# that they get a page: what does not fit gets HAProxy's own text, or ends an HTTP/2 connection.
HEAD_MAX_BYTES = 32 * 1024
BUFFER_BYTES = 2 * HEAD_MAX_BYTES
# Streams of an HTTP/2 connection at once, and those without an answer that it may open in a second.
STREAMS_MAX = 100
RESETS_MAX = 3 * STREAMS_MAX
# The page of each status. HAProxy answers 503 if it reaches no instance, which is sent as 502.
_ERRORS = {
    status: str(status) for status in (400, 401, 403, 405, 408, 413, 429, 500, 501, 502, 504)
}
_ERRORS |= {503: "502"}
# Pages that are sent by a rule, which may have any status.
_MORE_PAGES = ("414", "421", "431")
_REQUEST_ID = "-the id of the request-"


@dataclass(frozen=True, slots=True)
class Scheme:
    """One of the two public ports. tls: what ``bind`` has after the address."""

    name: str
    addresses: Sequence[str]
    map: str
    wildcards: str
    paths: str
    tls: str = ""


def render_shared(
    settings: Settings,
    *,
    gid: int,
    ipv6: bool,
    public: bool,
    curves: str,
    web: WebSite | None = None,
) -> dict[Path, str]:
    """The text of each shared file that does not depend on the sites, by path.

    public: whether it listens for clients, or is on standby. curves: for OpenSSL. web: git over
    HTTP, if the server has it.
    """
    base = directory(settings)
    text = render(
        "haproxy.cfg.j2",
        proxy_user=settings.proxy_user,
        proxy_gid=checked_number("proxy-user", gid, 0, 2**32),
        open_files=OPEN_FILES,
        buffer_bytes=BUFFER_BYTES,
        head_max_bytes=HEAD_MAX_BYTES,
        streams_max=STREAMS_MAX,
        resets_max=RESETS_MAX,
        worker_limit_ms=checked_number(
            "worker-limit", int(settings.worker_limit_s * 1000), 1, 2**31
        ),
        socket=plain_path(worker_socket(settings)),
        log_socket=plain_path(log_socket(settings)),
        ciphers=CIPHERS,
        curves=curves,
        trailers=plain_path(trailers_file(settings)),
        errors=_ERRORS,
        idle_s=IDLE_S,
        pages=plain_path(base / "errors"),
        schemes=_schemes(settings, ipv6=ipv6) if public else [],
        trusted=trusted_networks(settings) if settings.proxy_protocol else [],
        files_port=checked_number("http-port", settings.files_port, 1, 65535),
        requests_max=requests_max(settings),
        not_balancer=_not_balancer(settings),
        health=checked_health(settings),
        hops_max=HOPS_MAX,
        web=web,
        https_suffix=https_suffix(settings),
        hop_headers=HOP_HEADERS,
        cleared_headers=CLEARED_HEADERS,
    )
    files = {main_file(settings): text, trailers_file(settings): template_text("trailers.lua")}
    for name in sorted({*_MORE_PAGES, *_ERRORS.values()}):
        files |= error_page(base / "errors", name)
    return files


def main_file(settings: Settings) -> Path:
    """The file that HAProxy reads first."""
    return directory(settings) / "haproxy.cfg"


def trailers_file(settings: Settings) -> Path:
    """The Lua code that refuses requests with trailers."""
    return directory(settings) / "trailers.lua"


def sites_directory(settings: Settings) -> Path:
    """Where the apps' files are: ID.cfg, which HAProxy reads, and ID.names, which we do."""
    return directory(settings) / "sites"


def worker_socket(settings: Settings) -> Path:
    """Where a worker takes commands, and hands its listening sockets over."""
    return settings.paths.haproxy_socket


def master_socket(settings: Settings) -> Path:
    """Where the master process takes commands, for itself and for its workers."""
    return settings.paths.haproxy_master_socket


def pid_file(settings: Settings) -> Path:
    """Where the master process writes its pid."""
    return settings.paths.haproxy_pid


def haproxy_argv(settings: Settings) -> list[str]:
    """HAProxy in the foreground: a master process and its workers."""
    files = ["-f", str(main_file(settings)), "-f", str(sites_directory(settings))]
    listening = f"{master_socket(settings)},mode,600"
    return [HAPROXY, "-W", "-db", *files, "-S", listening, "-p", str(pid_file(settings))]


def error_page(folder: Path, name: str) -> dict[Path, str]:
    """A page as maps from what a client accepts to the text before and after the request's id."""
    maps: dict[Path, str] = {}
    for kind in KINDS:
        text = " ".join(render_page(name, kind, _REQUEST_ID).splitlines())
        head, _, tail = text.partition(_REQUEST_ID)
        for end, part in (("head", head), ("tail", tail)):
            path = folder / f"{name}-{end}.map"
            maps[path] = f"{maps.get(path, '')}{kind} {part}\n"
    return maps


def render_tables(
    settings: Settings, names: Iterable[str], web: WebSite | None = None
) -> dict[Path, str]:
    """The maps from host to app and the list of certificates, of all apps' names files.

    An app that has a host of the web process keeps it: its line comes first, with a number.
    """
    maps: dict[tuple[str, bool], list[str]] = {
        (scheme, wild): [] for scheme in ("http", "https") for wild in (False, True)
    }
    certificates = []
    paths: dict[str, list[str]] = {"http-paths": [], "https-paths": []}
    if web is not None:
        for scheme in ("http", "https") if web.pem else ("http",):
            maps[scheme, False] += [f"{host} web app" for host in web.hosts]
        certificates += [f"{plain_path(web.pem)} {' '.join(web.hosts)}"] if web.pem else []
    for kind, *words in (line for text in names for line in decoded_names(text)):
        if kind == "crt":
            certificates.append(" ".join(words))
        elif kind in paths:
            paths[kind].append(" ".join(words))
        else:
            wild = words[0].startswith("*.")
            maps[kind, wild].append(" ".join([words[0].removeprefix("*"), *words[1:]]))
    for (_, wild), lines in maps.items():
        # The first suffix that matches wins: the longest, as with nginx.
        lines.sort(key=lambda line: (-len(line.split()[0]), line) if wild else (0, line))
    tables = {map_file(settings, *key): _lines(lines) for key, lines in maps.items()}
    tables |= {
        paths_file(settings, scheme): _lines(sorted(paths[f"{scheme}-paths"]))
        for scheme in ("http", "https")
    }
    return {**tables, directory(settings) / "crt-list": _lines(sorted(certificates))}


def map_file(settings: Settings, scheme: str, wild: bool) -> Path:
    """A map from host names, or suffixes of them, to what is done with a request."""
    return directory(settings) / f"{scheme}{'-wildcards' if wild else ''}.map"


def paths_file(settings: Settings, scheme: str) -> Path:
    """A map from paths of hosts to what is done with a request."""
    return directory(settings) / f"{scheme}-paths.map"


def _not_balancer(settings: Settings) -> str:
    """The condition that a connection does not come from a balancer, which carries many people's.

    With the PROXY protocol, balancers state the client's address, which is then counted.
    """
    networks = [] if settings.proxy_protocol else trusted_networks(settings)
    return f" !{{ src {' '.join(map(str, networks))} }}" if networks else ""


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _schemes(settings: Settings, *, ipv6: bool) -> list[Scheme]:
    tls = f"ssl crt-list {plain_path(directory(settings) / 'crt-list')} strict-sni alpn h2,http/1.1"
    found = []
    for name, port, words in (
        ("http", settings.http_port, ""),
        ("https", settings.https_port, tls),
    ):
        checked_number("http-port", port, 0, 65535)
        addresses = [f"0.0.0.0:{port}", *([f"[::]:{port}"] if ipv6 else [])]
        exact, wild = (plain_path(map_file(settings, name, wild)) for wild in (False, True))
        if port:
            paths = plain_path(paths_file(settings, name))
            found.append(Scheme(name, addresses, exact, wild, paths, words))
    return found
