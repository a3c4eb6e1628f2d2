"""HAProxy's files on disk: what is written for each app, and the tables that are made of all."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from paas.adapters.certificates.web_certificate import WebCertificateDirectory
from paas.adapters.network.ports import has_ipv6
from paas.adapters.proxy.account import proxy_account
from paas.adapters.proxy.error_pages import render_page
from paas.adapters.proxy.haproxy.conf import HAPROXY, render_shared, render_tables, sites_directory
from paas.adapters.proxy.haproxy.escaping import directory, log_socket
from paas.adapters.proxy.haproxy.site_conf import backends_of, files_of, page_file
from paas.adapters.proxy.haproxy.tcp_conf import render_tcp, tcp_backend
from paas.adapters.proxy.nginx.escaping import trusted_networks
from paas.adapters.proxy.tls import CURVES, curves_of, version_words
from paas.adapters.proxy.web_site import WebSite, web_site
from paas.adapters.system.files import make_directory, read_bytes, remove, write_atomic
from paas.domain.routing.sites import Certificate, Site
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# Content by path; None if there is no file.
Files = Mapping[Path, bytes | None]
# Of the files of an app.
ENDINGS = ("cfg", "names", "tcp.cfg")
# HAProxy keeps a page in one buffer of 16 KiB, together with its headers.
PAGE_MAX_BYTES = 12_288
_SERVER = re.compile(r"^    server (s[0-9][0-9.-]*) (.*)\n", re.MULTILINE)


class HaproxyFiles:
    """The files below state/haproxy."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sites = sites_directory(settings)
        self._certificates = directory(settings) / "certs"
        # Exists while files may be newer than what HAProxy serves, also after a crash in between.
        self.pending = directory(settings) / "reload-pending"

    def prepare(self) -> None:
        """Make the directories."""
        gid = proxy_account(self._settings).pw_gid
        make_directory(directory(self._settings), mode=0o711)
        folders = (directory(self._settings) / name for name in ("errors", "pages"))
        for path in (self._sites, self._certificates, *folders):
            make_directory(path, mode=0o700)
        make_directory(log_socket(self._settings).parent, mode=0o710, owner=(0, gid))
        WebCertificateDirectory(self._settings).copy()

    def shared(self, *, public: bool) -> dict[Path, bytes]:
        """The content of the files that all apps share, without the tables.

        public: whether HAProxy listens on the public ports, or is on standby.
        """
        gid = proxy_account(self._settings).pw_gid
        texts = render_shared(
            self._settings,
            gid=gid,
            ipv6=has_ipv6(),
            public=public,
            curves=installed_curves(),
            web=self._web(),
        )
        return {path: text.encode() for path, text in texts.items()}

    def tables(self, changed: Mapping[int, str] = {}) -> dict[Path, bytes]:
        """The content of the maps and of the list of certificates.

        changed: the new names files, by app; the others are read from disk.
        """
        names = {app_id: self.text(app_id, "names") for app_id in self.ids("cfg")}
        names.update(changed)
        tables = render_tables(self._settings, names.values(), self._web())
        return {path: text.encode() for path, text in tables.items()}

    def _web(self) -> WebSite | None:
        """git over HTTP. With the PROXY protocol, the headers of balancers are not trusted."""
        settings = self._settings
        return web_site(
            settings, () if settings.proxy_protocol else tuple(trusted_networks(settings))
        )

    def wanted(self, site: Site) -> dict[Path, bytes | None]:
        """The content of the files with this site. Raises PaasError if that is not possible."""
        files = files_of(site, self._settings)
        return {
            **self._of_site(site),
            **self.tables({site.app_id: files.names}),
        }

    def _of_site(self, site: Site) -> dict[Path, bytes | None]:
        files = files_of(site, self._settings)
        tcp = render_tcp(site, self._settings, ipv6=has_ipv6())
        contents = {"cfg": files.backend, "names": files.names, "tcp.cfg": tcp}
        return {
            self.path(site.app_id, ending): None if text is None else text.encode()
            for ending, text in contents.items()
        }

    def own(self, app_id: int) -> list[Path]:
        """The app's files."""
        return [self.path(app_id, ending) for ending in ENDINGS]

    def present(self, app_id: int) -> dict[Path, bytes | None]:
        """The current content of those files."""
        paths = [*self.own(app_id), *render_tables(self._settings, ())]
        return {path: read_bytes(path) for path in paths}

    def write(self, files: Files) -> None:
        """Write those that differ; delete those that should be None."""
        for path, content in files.items():
            if content is None:
                remove(path)
            elif read_bytes(path) != content:
                write_atomic(path, content, mode=0o600)

    def replace(self, files: Files) -> None:
        """Write them; if that changes any, remember that HAProxy has not read them."""
        if any(read_bytes(path) != content for path, content in files.items()):
            self.pending.touch()
            self.write(files)

    def replace_sites(self, sites: Sequence[Site]) -> None:
        """Make the apps' files and the tables those of exactly these sites."""
        for path in self._sites.glob("*.refused"):
            path.unlink()
        wanted: dict[Path, bytes | None] = {}
        for site in sites:
            try:
                files = self._of_site(site)
                self.write_referenced(site)
            except PaasError as error:
                # As with one that HAProxy refuses, the others are served.
                write_atomic(self.path(site.app_id, "cfg.refused"), f"# {error.message}\n")
                continue
            wanted |= files
        there = {*self._sites.glob("*.cfg"), *self._sites.glob("*.names")}
        self.replace(wanted | dict.fromkeys(there - wanted.keys()))
        self.replace(self.tables())

    def set_aside(self, app_id: int) -> None:
        """Move an app's files to where HAProxy does not read them."""
        for path in self.own(app_id):
            if path.exists():
                path.rename(path.with_name(path.name + ".refused"))
        self.pending.touch()
        self.write(self.tables())

    def culprit(self, words: str) -> int | None:
        """The app that HAProxy complains about: by its file, or by that of a certificate."""
        site = re.escape(f"{self._sites}/") + r"([0-9]+)(?:\.tcp)?\.cfg"
        pem = re.escape(f"{self._certificates}/") + r"([0-9]+)-"
        found = re.search(site, words) or re.search(pem, words)
        return int(found[1]) if found and self.path(int(found[1]), "cfg").exists() else None

    def refuse_taken(self, site: Site) -> None:
        """Raises PaasError if another app's files have one of the site's names."""
        for app_id in self.ids("cfg") - {site.app_id}:
            lines = self.text(app_id, "names").splitlines()
            taken = {line.split()[1] for line in lines if line.startswith(("http ", "https "))}
            if both := sorted(taken & set(site.names)):
                raise PaasError(
                    "site-host-taken", f"HAProxy already serves {both[0]} for another app."
                )

    def write_referenced(self, site: Site) -> None:
        """Write, before the site's own file: certificates (chain and key in one) and pages."""
        for status, page in site.error_pages.items():
            path = page_file(self._settings, site.app_id, status)
            self.write({path: _page(page) or render_page(str(status), "html", "").encode()})
        paths = files_of(site, self._settings).pems
        for path, certificate in zip(paths, site.certificates, strict=True):
            self.write({path: _pem(certificate)})

    def prune(self, app_id: int | None = None) -> None:
        """Delete certificates, with their keys, and pages that no file of the app's names.

        Without an app: of all apps, including those that are gone.
        """
        apps = self.ids("cfg") if app_id is None else {app_id}
        texts = (self.text(id, ending) for id in apps for ending in ("names", "cfg"))
        used = {word.strip('"') for text in texts for word in text.split()}
        whose = "*" if app_id is None else f"{app_id:d}"
        pages = (directory(self._settings) / "pages").glob(f"{whose}-*.html")
        # Former versions wrote an OCSP response next to each certificate, as .pem.ocsp.
        for path in [*self._certificates.glob(f"{whose}-*.pem*"), *pages]:
            if str(path) not in used:
                remove(path)

    def served(self) -> set[tuple[str, str]]:
        """Backend and name of each instance that should get requests."""
        found = ((app_id, instances(self.text(app_id, "cfg"))) for app_id in self.ids("cfg"))
        served = {
            (backend, name)
            for app_id, names in found
            for backend in backends_of(app_id)
            for name in names
        }
        return served | {
            (tcp_backend(app_id), name)
            for app_id in self.ids("tcp.cfg")
            for name in instances(self.text(app_id, "tcp.cfg"))
        }

    def ids(self, ending: str) -> set[int]:
        """The apps that have a file with that ending."""
        names = (path.name for path in self._sites.glob(f"*.{ending}"))
        matches = (re.fullmatch(rf"([0-9]+)\.{re.escape(ending)}", name) for name in names)
        return {int(match[1]) for match in matches if match}

    def path(self, app_id: int, ending: str) -> Path:
        """An app's file: cfg and tcp.cfg, which HAProxy reads, or names, for the tables."""
        return self._sites / f"{app_id:d}.{ending}"

    def text(self, app_id: int, ending: str) -> str:
        """Its text; empty if there is none."""
        return (read_bytes(self.path(app_id, ending)) or b"").decode()


def instances(cfg: str) -> dict[str, str]:
    """What follows each instance's name in an app's file."""
    return {found[1]: found[2] for found in _SERVER.finditer(cfg)}


def without_instances(cfg: str) -> str:
    """Everything else in an app's file."""
    return _SERVER.sub("", cfg)


def _page(path: Path) -> bytes | None:
    """An app's page; None for a link, which may lead anywhere, and for one that is too large."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        content = file.read(PAGE_MAX_BYTES + 1)
    return content if len(content) <= PAGE_MAX_BYTES else None


def _pem(certificate: Certificate) -> bytes:
    parts = [read_bytes(path) for path in (certificate.chain, certificate.key)]
    if None in parts:
        raise PaasError("proxy-refused", f"{certificate.chain} or its key is missing.")
    return b"".join(part.strip() + b"\n" for part in parts if part)


def installed_curves() -> str:
    """Which curves to offer to clients: HAProxy's OpenSSL may be another than nginx's.

    Asked whenever the shared files are rendered, which is rare.
    """
    if not Path(HAPROXY).exists():
        return CURVES
    return curves_of(version_words(HAPROXY, "-vv"))
