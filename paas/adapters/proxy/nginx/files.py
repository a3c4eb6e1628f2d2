"""The files that nginx reads: those that all apps share, one for each app, and its logins."""

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from paas.adapters.certificates.web_certificate import WebCertificateDirectory
from paas.adapters.network.ports import has_ipv6
from paas.adapters.proxy.access_log_file import make_log
from paas.adapters.proxy.account import proxy_account
from paas.adapters.proxy.nginx.escaping import trusted_networks
from paas.adapters.proxy.nginx.http_conf import (
    own_directives,
    render_http,
    render_main,
    render_nginx,
    sites_directory,
)
from paas.adapters.proxy.nginx.site_conf import logins_file, render_logins, render_site
from paas.adapters.proxy.nginx.static_files import installed_modules, write_pages
from paas.adapters.proxy.nginx.stream_conf import render_stream
from paas.adapters.proxy.nginx.tls import installed_tls
from paas.adapters.proxy.web_site import web_site
from paas.adapters.system.files import make_directory, read_bytes, remove, write_atomic
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# Content by path; None if there is no file.
Files = Mapping[Path, bytes | None]


class NginxFiles:
    """Renders and writes them; the caller has the lock, and has nginx read them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sites = sites_directory(settings)
        # Not kept over a boot: then another program may have a port, and nginx would not start.
        self._streams = settings.paths.nginx_streams
        # Exists while files may be newer than what nginx serves, also after a crash in between.
        self.pending = settings.paths.nginx_reload_mark

    def prepare(self) -> None:
        """Write what all apps share, and make the directories that nginx needs."""
        # nginx's workers pass through these to their temporary files and to the logs.
        paths = self._settings.paths
        for path in (paths.nginx, paths.nginx_tmp, paths.logs):
            make_directory(path, mode=0o711)
        for path in (self._sites, self._streams):
            make_directory(path, mode=0o700)
        again = paths.handover_socket.parent
        make_directory(again, mode=0o710, owner=(0, proxy_account(self._settings).pw_gid))
        write_pages(self._settings)
        WebCertificateDirectory(self._settings).copy()
        for path, text in self.shared().items():
            self._replace(path, text)

    def shared(self) -> dict[Path, str]:
        """The text of each file outside the sites, by path: what an uninstall must delete."""
        settings, modules = self._settings, installed_modules()
        web = web_site(settings, tuple(trusted_networks(settings)))
        if settings.embedded:
            return {
                settings.nginx_conf: render_nginx(settings, modules=modules),
                settings.nginx_http_conf: render_http(
                    settings, ipv6=has_ipv6(), tls=installed_tls(), web=web
                ),
            }
        omit = own_directives((read_bytes(settings.nginx_conf) or b"").decode(errors="replace"))
        files = {
            settings.nginx_http_conf: render_http(
                settings, ipv6=has_ipv6(), omit=omit, tls=installed_tls(), web=web
            )
        }
        enabled = settings.nginx_conf.parent / "modules-enabled"
        if enabled.is_dir():
            # The only directory that Debian's nginx.conf includes at its main level.
            files[enabled / "90-paas.conf"] = render_main(settings, omit=omit, modules=modules)
        return files

    def cannot_tcp(self) -> str | None:
        """Why nginx passes on no TCP ports, as it is installed; None: it does."""
        if not installed_modules().stream:
            return "Nginx has no module for TCP ports here: apt install libnginx-mod-stream"
        conf = self._settings.nginx_conf
        enabled = conf.parent / "modules-enabled" / "90-paas.conf"
        texts = [(read_bytes(path) or b"").decode(errors="replace") for path in (conf, enabled)]
        if self._settings.proxy != "nginx" or any(str(self._streams) in text for text in texts):
            return None
        if not self._settings.embedded and "stream" in own_directives(texts[0]):
            return (
                f"{conf} has a stream block of its own, of which Nginx accepts one: add this line "
                f"to it: include {self._streams}/*.conf;"
            )
        return "Nginx has no place for TCP ports yet."

    def render(self, site: Site) -> str:
        """A site's file. Raises PaasError if it cannot be rendered."""
        return render_site(
            site, self._settings, ipv6=has_ipv6(), tls=installed_tls(), modules=installed_modules()
        )

    def wanted(self, site: Site) -> Files:
        """The content of the app's files with this site. Raises PaasError as `render`."""
        modules = installed_modules()
        stream = render_stream(site, self._settings, ipv6=has_ipv6(), modules=modules)
        return {
            self.path(site.app_id): self.render(site).encode(),
            self.stream_path(site.app_id): None if stream is None else stream.encode(),
        }

    def present(self, app_id: int) -> Files:
        """The current content of those files."""
        return {path: read_bytes(path) for path in (self.path(app_id), self.stream_path(app_id))}

    def write(self, files: Files) -> None:
        """Write those that differ; delete those that should be None. A boot writes them again."""
        for path, content in files.items():
            if content is None:
                remove(path)
            elif read_bytes(path) != content:
                write_atomic(path, content, mode=0o644, durable=False)

    def replace_sites(self, sites: Sequence[Site]) -> None:
        """Make the apps' files exactly those of these sites."""
        for directory in (self._sites, self._streams):
            for path in directory.glob("*.refused"):
                path.unlink()
        wanted = self._rendered(sites)
        there = {*self._sites.glob("*.conf"), *self._streams.glob("*.conf")}
        for path in there - wanted.keys():
            self.pending.touch()
            path.unlink()
        for site in sites:
            with suppress(PaasError):  # nginx rejects this site, which is then set aside
                make_log(self._settings, site.app_id)
                self.write_logins(site)
        for path, content in wanted.items():
            self._replace(path, content.decode())

    def _rendered(self, sites: Sequence[Site]) -> dict[Path, bytes]:
        """The files of those sites that can be rendered; the others are marked as refused."""
        found: dict[Path, bytes] = {}
        for site in sites:
            path = self.path(site.app_id)
            try:
                files = self.wanted(site)
                found |= {p: content for p, content in files.items() if content is not None}
            except PaasError as error:
                write_atomic(refused_path(path), f"# {error.message!r}\n", mode=0o600)
        return found

    def _replace(self, path: Path, text: str) -> None:
        """Write a file unless it has that text."""
        if read_bytes(path) != text.encode():
            self.pending.touch()
            # A boot writes the sites again. The system's nginx may start before that, and does not
            # start without the files that all apps share.
            durable = path.parent not in {self._sites, self._streams}
            write_atomic(path, text, mode=0o644, durable=durable)

    def culprit(self, words: str) -> Path | None:
        """The app's file that nginx complains about: by its name, or that of a log or key in it."""
        for directory in (self._sites, self._streams):
            found = re.search(re.escape(f"{directory}/") + r"([0-9]+\.conf)", words)
            if found and (path := directory / found[1]).exists():
                return path
        quoted = re.findall(r'"/[^"]+"', words)
        texts = ((path, path.read_text()) for path in sorted(self._sites.glob("*.conf")))
        return next((path for path, text in texts if any(q in text for q in quoted)), None)

    def show_alone(self, site: Site, text: str) -> Path:
        """Write a site's file into a directory without any other; returns the directory."""
        trial = self._settings.paths.nginx_trial
        shutil.rmtree(trial, ignore_errors=True)
        make_directory(trial, mode=0o700)
        write_atomic(trial / self.path(site.app_id).name, text, mode=0o644, durable=False)
        return trial

    def ids(self, ending: str) -> set[int]:
        """The apps that have a site file with this ending."""
        names = (path.name for path in self._sites.glob(f"*.{ending}"))
        matches = (re.fullmatch(rf"([0-9]+)\.{re.escape(ending)}", name) for name in names)
        return {int(match[1]) for match in matches if match}

    def path(self, app_id: int) -> Path:
        """The file of an app's site."""
        return self._sites / f"{app_id:d}.conf"

    def stream_path(self, app_id: int) -> Path:
        """The file of an app's TCP ports."""
        return self._streams / f"{app_id:d}.conf"

    def write_logins(self, site: Site) -> None:
        """Write the names and passwords that nginx asks visitors of the site for.

        Before the site's file, which names theirs. Nginx's workers read it at each request.
        """
        if not site.settings.users:
            return
        group = proxy_account(self._settings).pw_gid
        path = logins_file(self._settings, site)
        make_directory(path.parent, mode=0o710, owner=(0, group))
        write_atomic(path, render_logins(site), mode=0o640, owner=(0, group))

    def remove_logins(self, app_id: int, present: Site | None = None) -> None:
        """Delete all logins of an app but those of the site that is served."""
        keep = logins_file(self._settings, present) if present and present.settings.users else None
        for path in self._settings.paths.nginx_logins.glob(f"{app_id:d}-*"):
            if path != keep:
                remove(path)


def refused_path(path: Path) -> Path:
    """Where a site's file is set aside, so that nginx does not read it."""
    return path.with_name(path.name + ".refused")


def put_back(path: Path, former: bytes | None, *, durable: bool = False) -> None:
    """Restore the former bytes, or delete the file if there was none.

    durable: synced to disk, unlike sites, which a boot writes again.
    """
    if former is None:
        remove(path)
    else:
        write_atomic(path, former, mode=0o644, durable=durable)
