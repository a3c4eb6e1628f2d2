"""The proxy: nginx, configured by generated files, one for each app.

Every change holds one lock, swaps files in atomically, has nginx test them, and restores the former
bytes if it refuses: with what is on disk nginx can always start. If only instances' ports change,
nginx reads the files only once, when it reloads.
"""

import fcntl
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from paas.adapters.network.ports import has_ipv6
from paas.adapters.proxy.access_log_file import make_log
from paas.adapters.proxy.account import proxy_account
from paas.adapters.proxy.connections import is_connected
from paas.adapters.proxy.nginx.http_conf import (
    own_directives,
    render_http,
    render_main,
    render_nginx,
    sites_directory,
)
from paas.adapters.proxy.nginx.logins import remove_logins, write_logins
from paas.adapters.proxy.nginx.process import NginxProcess
from paas.adapters.proxy.nginx.site_conf import differs_in_ports_alone, render_site
from paas.adapters.proxy.nginx.static_files import MODULES, installed_modules, write_pages
from paas.adapters.proxy.nginx.tls import installed_tls
from paas.adapters.system.files import make_directory, read_bytes, remove, write_atomic
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.settings import Settings

DRAIN_POLL_S = 0.01
DRAIN_POLL_MOST_S = 0.2
QUIET_LOOKS = 2


class NginxProxy:
    """`Proxy` of interfaces over nginx; must run as root."""

    def __init__(self, settings: Settings, *, reload_limit_s: float = 10.0) -> None:
        self._settings = settings
        self._process = NginxProcess(settings.nginx_conf, settings.nginx_pid, reload_limit_s)
        self._sites = sites_directory(settings)
        # Exists while files may be newer than what nginx serves, also after a crash in between.
        self._pending = settings.paths.nginx_reload_mark

    def apply(self, site: Site) -> None:
        """Serve the site; returns when no worker with the former file accepts connections.

        Raises PaasError, with the former file restored, if nginx is down or refuses it.
        """
        text = self._render(site)
        path = self._path(site.app_id)
        with self._locked():
            self._process.running()
            former = read_bytes(path)
            if former == text.encode() and not self._pending.exists():
                return
            was_pending = self._pending.exists()
            make_log(self._settings, site.app_id)
            write_logins(self._settings, site)
            self._pending.touch()
            write_atomic(path, text, mode=0o644)
            if was_pending or not differs_in_ports_alone(former, text):
                try:
                    self._refuse_conflicts(site, self._tested(path))
                except PaasError:
                    _put_back(path, former)
                    if not was_pending:
                        remove(self._pending)
                    raise
            self._reload(path, former)
            remove(_refused(path))
            remove_logins(self._settings, site.app_id, site)

    def cannot(self, key: str, value: str) -> str | None:
        """Why the installed nginx cannot do what a router setting asks for; None: it can."""
        if (key, value) == ("brotli", "on") and not list(MODULES.glob("*http-brotli-filter.conf")):
            return "Nginx has no brotli here: apt install libnginx-mod-http-brotli-filter"
        return None

    def remove(self, app_id: int) -> None:
        """Stop serving an app; no error if it has no site. Nginx may be down."""
        path = self._path(app_id)
        with self._locked():
            former = read_bytes(path)
            # It may still be served without its file, if a process was killed before the reload.
            if former is not None or self._pending.exists():
                self._pending.touch()
                _put_back(path, None)
                if self._process.master() is not None:
                    self._process.test()
                    self._reload(path, former)
            remove(_refused(path))
            remove_logins(self._settings, app_id)

    def serves(self, site: Site) -> bool:
        """Whether the site's file is what it should be, and nginx has read it."""
        try:
            text = self._render(site)
        except PaasError:
            return False
        return read_bytes(self._path(site.app_id)) == text.encode() and not self._pending.exists()

    def sites(self) -> set[int]:
        """The ids of the apps that have a site file."""
        return self._ids("conf")

    def refused(self) -> set[int]:
        """The ids of the apps whose file nginx refused at the last restore."""
        return self._ids("conf.refused")

    def drain(self, limit_s: float, endpoints: Collection[Endpoint] | None = None) -> bool:
        """Wait until no worker has a connection to these endpoints; False at the limit.

        What a former worker gets for them only later finds nobody there, and is handed over to the
        present workers. endpoints: None waits until no former worker is left.
        """
        deadline, pause_s, quiet = time.monotonic() + limit_s, DRAIN_POLL_S, 0
        while True:
            quiet = 0 if self._is_busy(endpoints) else quiet + 1
            # Twice, since the kernel's table may change while it is read.
            if quiet == QUIET_LOOKS:
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(DRAIN_POLL_S if quiet else pause_s)
            pause_s = min(2 * pause_s, DRAIN_POLL_MOST_S)

    def _is_busy(self, endpoints: Collection[Endpoint] | None) -> bool:
        if endpoints is None:
            return self._process.workers_shutting_down() > 0
        return is_connected(endpoints, self._process.worker_uids())

    def restore(
        self, sites: Sequence[Site], *, before_reload: Callable[[], object] | None = None
    ) -> None:
        """Make the site files exactly these, with nginx running or not, and reload it once.

        before_reload: called when the files are tested, so that a program can release the ports.
        Also writes what `prepare` does. A site that cannot be rendered, or whose file nginx
        refuses, is set aside under the ending .refused. Raises PaasError, with the former shared
        files, if nginx refuses anything else.
        """
        with self._locked():
            shared = {path: read_bytes(path) for path in self.shared_files()}
            self._prepare()
            for path in self._sites.glob("*.refused"):
                path.unlink()
            wanted = self._rendered(sites)
            for path in set(self._sites.glob("*.conf")) - wanted.keys():
                self._pending.touch()
                path.unlink()
            for site in sites:
                with suppress(PaasError):  # nginx rejects this site, which is then set aside
                    make_log(self._settings, site.app_id)
                    write_logins(self._settings, site)
            for path, text in wanted.items():
                self._replace(path, text)
            try:
                self._set_refused_aside()
            except PaasError:
                for path, former in shared.items():
                    _put_back(path, former)
                raise
            if before_reload is not None:
                self._process.running()
                before_reload()
            if self._process.master() is not None and self._pending.exists():
                self._process.reload()
            self._pending.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Write the files that all apps share, and the directories that nginx needs; no reload."""
        with self._locked():
            self._prepare()

    def shared_files(self) -> dict[Path, str]:
        """The text of each file outside the sites, by path: what an uninstall must delete."""
        settings = self._settings
        if settings.embedded:
            return {
                settings.nginx_conf: render_nginx(settings),
                settings.nginx_http_conf: render_http(
                    settings, ipv6=has_ipv6(), tls=installed_tls()
                ),
            }
        omit = own_directives((read_bytes(settings.nginx_conf) or b"").decode(errors="replace"))
        files = {
            settings.nginx_http_conf: render_http(
                settings, ipv6=has_ipv6(), omit=omit, tls=installed_tls()
            )
        }
        modules = settings.nginx_conf.parent / "modules-enabled"
        if modules.is_dir():
            # The only directory that Debian's nginx.conf includes at its main level.
            files[modules / "90-paas.conf"] = render_main(settings, omit=omit)
        return files

    def reopen_logs(self) -> None:
        """Have nginx reopen its logs after they were renamed."""
        self._process.reopen_logs()

    def _prepare(self) -> None:
        # nginx's workers pass through these to their temporary files and to the logs.
        paths = self._settings.paths
        for path in (paths.nginx, paths.nginx_tmp, paths.logs):
            make_directory(path, mode=0o711)
        make_directory(self._sites, mode=0o700)
        again = paths.handover_socket.parent
        make_directory(again, mode=0o710, owner=(0, proxy_account(self._settings).pw_gid))
        write_pages(self._settings)
        for path, text in self.shared_files().items():
            self._replace(path, text)

    def _render(self, site: Site) -> str:
        return render_site(
            site, self._settings, ipv6=has_ipv6(), tls=installed_tls(), modules=installed_modules()
        )

    def _rendered(self, sites: Sequence[Site]) -> dict[Path, str]:
        """The files of those sites that can be rendered; the others are marked as refused."""
        found = {}
        for site in sites:
            path = self._path(site.app_id)
            try:
                found[path] = self._render(site)
            except PaasError as error:
                write_atomic(_refused(path), f"# {error.message!r}\n", mode=0o600)
        return found

    def _replace(self, path: Path, text: str) -> None:
        """Write a file unless it has that text."""
        if read_bytes(path) != text.encode():
            self._pending.touch()
            write_atomic(path, text, mode=0o644)

    def _reload(self, path: Path, former: bytes | None) -> None:
        """Reload; if that fails, restore the former file."""
        try:
            self._process.reload()
        except PaasError:
            _put_back(path, former)
            # If nginx is only slow, it loads the former file last.
            self._process.signal_reload()
            self._tested(path)  # if nginx gives a reason, that is raised instead
            raise
        self._pending.unlink(missing_ok=True)

    def _tested(self, changed: Path) -> str:
        """What `NginxProcess.test` returns. Its error names the app, if that is another."""
        try:
            return self._process.test()
        except PaasError as error:
            culprit = self._culprit(error.message)
            if culprit in (None, changed):
                raise
            raise PaasError(
                error.reference,
                f"The files of another app, of id {culprit.stem}, are damaged. {error.message}",
                "Repair them on the server with: sudo paas doctor --fix",
            ) from error

    def _set_refused_aside(self) -> None:
        while True:
            try:
                self._process.test()
            except PaasError as error:
                path = self._culprit(error.message)
                if path is None:
                    raise
                path.rename(_refused(path))
            else:
                return

    def _culprit(self, words: str) -> Path | None:
        """The site file that nginx complains about: by its name, or that of a log or key in it."""
        found = re.search(re.escape(f"{self._sites}/") + r"([0-9]+)\.conf", words)
        if found and (path := self._path(int(found[1]))).exists():
            return path
        quoted = re.findall(r'"/[^"]+"', words)
        texts = ((path, path.read_text()) for path in sorted(self._sites.glob("*.conf")))
        return next((path for path, text in texts if any(q in text for q in quoted)), None)

    def _refuse_conflicts(self, site: Site, warnings: str) -> None:
        """A host in two files is only a warning to nginx, and the first file wins: refuse."""
        for host in site.names:
            if f'conflicting server name "{host}"' in warnings:
                raise PaasError(
                    "site-host-taken",
                    f"Nginx serves {host} already, from another file.",
                    f"Find it on the server with: sudo grep -rw {host} /etc/nginx {self._sites}",
                )

    def _ids(self, ending: str) -> set[int]:
        names = (path.name for path in self._sites.glob(f"*.{ending}"))
        matches = (re.fullmatch(rf"([0-9]+)\.{re.escape(ending)}", name) for name in names)
        return {int(match[1]) for match in matches if match}

    def _path(self, app_id: int) -> Path:
        return self._sites / f"{app_id:d}.conf"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time; the kernel frees the lock when the process ends."""
        path = self._settings.paths.nginx_lock
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _refused(path: Path) -> Path:
    """Where a site's file is set aside, so that nginx does not read it."""
    return path.with_name(path.name + ".refused")


def _put_back(path: Path, former: bytes | None) -> None:
    """Restore the former bytes, or delete the file if there was none."""
    if former is None:
        remove(path)
    else:
        write_atomic(path, former, mode=0o644)
