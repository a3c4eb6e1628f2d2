"""The proxy: nginx, configured by generated files, one for each app.

Every change holds one lock, swaps files in atomically, has nginx test them, and restores the former
bytes if it refuses: with what is on disk nginx can always start. Where there are many sites, only
the changed one is tested, before it is swapped in; what nginx then says about all of them at its
reload counts as well. If only the addresses and ports of instances change, nginx reads the files
only once, when it reloads.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from paas.adapters.proxy.access_log_file import make_log
from paas.adapters.proxy.nginx.drain import wait_until_drained
from paas.adapters.proxy.nginx.files import Files, NginxFiles, put_back, refused_path
from paas.adapters.proxy.nginx.http_conf import sites_directory
from paas.adapters.proxy.nginx.process import NginxProcess
from paas.adapters.proxy.nginx.site_conf import differs_in_endpoints_alone
from paas.adapters.proxy.nginx.static_files import MODULES
from paas.adapters.system.files import read_bytes, remove
from paas.adapters.system.flocks import locked
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# Nginx reads a site in 0.35 ms of CPU, and to show it one of them alone costs 6.
FEW = 20


class NginxProxy:
    """`Proxy` of interfaces over nginx; must run as root."""

    def __init__(self, settings: Settings, *, reload_limit_s: float = 10.0) -> None:
        self._settings = settings
        self._process = NginxProcess(settings.nginx_conf, settings.nginx_pid, reload_limit_s)
        self._sites = sites_directory(settings)
        self._files = NginxFiles(settings)

    def apply(self, site: Site) -> None:
        """Serve the site; returns when no worker with the former file accepts connections.

        Raises PaasError, with the former file restored, if nginx is down or refuses it.
        """
        wanted = self._files.wanted(site)
        with self._locked():
            self._process.running()
            former = self._files.present(site.app_id)
            was_pending = self._files.pending.exists()
            if former == wanted and not was_pending:
                return
            make_log(self._settings, site.app_id)
            self._files.write_logins(site)
            is_new = was_pending or not _differ_in_endpoints_alone(former, wanted)
            alone = is_new and not was_pending and self._has_many() and self._is_site(wanted)
            if alone:
                text = (wanted[self._files.path(site.app_id)] or b"").decode()
                trial = self._files.show_alone(site, text)
                self._refuse_conflicts(site, self._process.test_with(trial, self._sites))
            self._files.pending.touch()
            self._files.write(wanted)
            if is_new and not alone:
                try:
                    self._refuse_conflicts(site, self._tested(site.app_id))
                except PaasError:
                    self._files.write(former)
                    if not was_pending:
                        remove(self._files.pending)
                    raise
            self._reload(site.app_id, former, site if alone else None)
            self._forget_refused(wanted)
            self._files.remove_logins(site.app_id, site)

    def cannot(self, key: str, value: str) -> str | None:
        """Why the installed nginx cannot do what a router setting asks for; None: it can."""
        if (key, value) == ("brotli", "on") and not list(MODULES.glob("*http-brotli-filter.conf")):
            return "Nginx has no brotli here: apt install libnginx-mod-http-brotli-filter"
        return None

    def cannot_tcp(self) -> str | None:
        """Why the installed nginx passes on no TCP ports; None: it does."""
        return self._files.cannot_tcp()

    def remove(self, app_id: int) -> None:
        """Stop serving an app; no error if it has no site. Nginx may be down."""
        with self._locked():
            former = self._files.present(app_id)
            # It may still be served without its file, if a process was killed before the reload.
            if any(former.values()) or self._files.pending.exists():
                self._files.pending.touch()
                self._files.write(dict.fromkeys(former))
                if self._process.master() is not None:
                    self._process.test()
                    self._reload(app_id, former)
            self._forget_refused(former)
            self._files.remove_logins(app_id)

    def serves(self, site: Site) -> bool:
        """Whether the site's file is what it should be, and nginx has read it."""
        try:
            wanted = self._files.wanted(site)
        except PaasError:
            return False
        is_there = self._files.present(site.app_id) == wanted
        return is_there and not self._files.pending.exists()

    def sites(self) -> set[int]:
        """The ids of the apps that have a site file."""
        return self._files.ids("conf")

    def refused(self) -> set[int]:
        """The ids of the apps whose file nginx refused at the last restore."""
        return self._files.ids("conf.refused")

    def drain(self, limit_s: float, endpoints: Collection[Endpoint] | None = None) -> bool:
        """Wait until no worker has a connection to these endpoints; False at the limit.

        What a former worker gets for them only later finds nobody there, and is handed over to the
        present workers. endpoints: None waits until no former worker is left.
        """
        return wait_until_drained(self._process, endpoints, limit_s)

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
            shared = {path: read_bytes(path) for path in self._files.shared()}
            self._files.prepare()
            self._files.replace_sites(sites)
            try:
                self._set_refused_aside()
            except PaasError:
                for path, former in shared.items():
                    put_back(path, former, durable=True)
                raise
            if before_reload is not None:
                self._process.running()
                before_reload()
            if self._process.master() is not None and self._files.pending.exists():
                self._process.reload()
            self._files.pending.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Write the files that all apps share, and the directories that nginx needs; no reload."""
        with self._locked():
            self._files.prepare()

    def shared_files(self) -> dict[Path, str]:
        """The text of each file outside the sites, by path: what an uninstall must delete."""
        return self._files.shared()

    def reopen_logs(self) -> None:
        """Have nginx reopen its logs after they were renamed."""
        self._process.reopen_logs()

    def _has_many(self) -> bool:
        return len(list(self._sites.glob("*.conf"))) > FEW

    def _is_site(self, wanted: Files) -> bool:
        """Whether the app has a site file only, as `show_alone` shows it."""
        return all(c is None for path, c in wanted.items() if path.parent != self._sites)

    def _forget_refused(self, files: Iterable[Path]) -> None:
        for path in files:
            remove(refused_path(path))

    def _reload(self, app_id: int, former: Files, site: Site | None = None) -> None:
        """Reload; if that fails, restore the app's former files.

        site: has been tested without all others, which may have its names.
        """
        try:
            said = self._process.reload()
        except PaasError:
            self._files.write(former)
            # If nginx is only slow, it loads the former file last. Waited for, since the next
            # change would take its workers for those of its own reload.
            with suppress(PaasError):
                self._process.reload()
            self._tested(app_id)  # if nginx gives a reason, that is raised instead
            raise
        try:
            if site is not None:
                self._refuse_conflicts(site, said)
        except PaasError:
            self._files.write(former)
            self._process.reload()
            self._files.pending.unlink(missing_ok=True)
            raise
        self._files.pending.unlink(missing_ok=True)

    def _tested(self, changed: int) -> str:
        """What `NginxProcess.test` returns. Its error names the app, if that is another."""
        try:
            return self._process.test()
        except PaasError as error:
            culprit = self._files.culprit(error.message)
            if culprit is None or culprit.stem == str(changed):
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
                path = self._files.culprit(error.message)
                if path is None:
                    raise
                path.rename(refused_path(path))
            else:
                return

    def _refuse_conflicts(self, site: Site, warnings: str) -> None:
        """A host in two files is only a warning to nginx, and the first file wins: refuse."""
        for host in site.names:
            if f'conflicting server name "{host}"' in warnings:
                raise PaasError(
                    "site-host-taken",
                    f"Nginx already serves {host}, from another file.",
                    f"Find it on the server with: sudo grep -rw {host} /etc/nginx {self._sites}",
                )

    def _locked(self) -> AbstractContextManager[None]:
        """One change at a time."""
        return locked(self._settings.paths.nginx_lock)


def _differ_in_endpoints_alone(former: Files, wanted: Files) -> bool:
    """Whether nginx, having accepted the former files of an app, accepts these."""
    return all(
        content == former[path]
        or (content is not None and differs_in_endpoints_alone(former[path], content.decode()))
        for path, content in wanted.items()
    )
