"""The proxy: HAProxy, with nginx behind it for files and pages.

As with nginx, files are swapped in, tested by the program, and restored if it refuses them. A
change of instances only is made at runtime, in the running worker; any other is a reload.
"""

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, suppress

from paas.adapters.proxy.access_log_file import make_log
from paas.adapters.proxy.haproxy.conf import (
    HEAD_MAX_BYTES,
    main_file,
    master_socket,
    pid_file,
    sites_directory,
)
from paas.adapters.proxy.haproxy.drain import is_drained
from paas.adapters.proxy.haproxy.files import Files, HaproxyFiles
from paas.adapters.proxy.haproxy.instance_change import instance_change
from paas.adapters.proxy.haproxy.process import HaproxyProcess
from paas.adapters.proxy.haproxy.runtime_api import Master
from paas.adapters.proxy.haproxy.site_conf import backends_of, nginx_part
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.adapters.system.files import read_bytes, remove
from paas.adapters.system.flocks import locked
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.settings import Settings

DRAIN_POLL_S = 0.02
# Loading its libraries from a slow disk, on a busy machine, takes a while.
START_LIMIT_S = 30.0


class HaproxyProxy:
    """`Proxy` of interfaces over HAProxy; must run as root.

    With another proxy in settings.proxy it is on standby: it listens on no public port.
    """

    def __init__(self, settings: Settings, *, reload_limit_s: float = 10.0) -> None:
        self._settings = settings
        self._public = settings.proxy == "haproxy"
        self._files = HaproxyFiles(settings)
        self._process = HaproxyProcess(
            (main_file(settings), sites_directory(settings)),
            Master(master_socket(settings), pid_file(settings)),
            reload_limit_s,
        )
        self._nginx = NginxProxy(settings, reload_limit_s=reload_limit_s)

    def apply(self, site: Site) -> None:
        """Serve the site; returns when every new request is routed by it.

        Raises PaasError, with the former files restored, if HAProxy is down or refuses it.
        """
        wanted = self._files.wanted(site)
        part = nginx_part(site)
        with self._locked():
            self._process.master.workers()
            self._files.refuse_taken(site)
            wanted = self._files.wanted(site)
            former = self._files.present(site.app_id)
            was_pending = self._files.pending.exists()
            if wanted != former or was_pending:
                self._files.pending.touch()
            try:
                make_log(self._settings, site.app_id)
                self._files.write_referenced(site)
                self._files.write(wanted)
                if wanted != former:
                    self._process.test()
                if part is not None:
                    self._nginx.apply(part)
            except PaasError:
                self._files.write(former)
                if not was_pending:
                    remove(self._files.pending)
                raise
            if self._files.pending.exists():
                self._take(site.app_id, former, wanted, at_runtime=not was_pending)
            self._files.prune(site.app_id)
            if part is None:
                self._nginx.remove(site.app_id)

    def remove(self, app_id: int) -> None:
        """Stop serving an app; no error if it has no site. HAProxy may be down."""
        with self._locked():
            # It may still be served without its file, if a process was killed before the reload.
            if app_id in self._files.ids("cfg") or self._files.pending.exists():
                self._take_away(app_id)
            self._files.prune(app_id)
            self._nginx.remove(app_id)

    def _take_away(self, app_id: int) -> None:
        former = self._files.present(app_id)
        self._files.pending.touch()
        self._files.write(dict.fromkeys(self._files.own(app_id)))
        self._files.write(self._files.tables())
        if self._process.master.is_up():
            self._process.test()
            self._reload(former)

    def serves(self, site: Site) -> bool:
        """Whether its files, and those of the nginx behind it, are as they should be."""
        part = nginx_part(site)
        try:
            there = self._files.wanted(site) == self._files.present(site.app_id)
        except PaasError:
            return False
        if not there or self._files.pending.exists():
            return False
        return self._nginx.serves(part) if part else site.app_id not in self._nginx.sites()

    def sites(self) -> set[int]:
        """The ids of the apps that have a site file."""
        return self._files.ids("cfg")

    def refused(self) -> set[int]:
        """The ids of the apps whose files HAProxy refused at the last restore."""
        return self._files.ids("cfg.refused")

    def cannot(self, key: str, value: str) -> str | None:
        """Why HAProxy cannot do what a router setting asks for; None: it can."""
        if (key, value) == ("brotli", "on"):
            return "HAProxy does not support brotli, only gzip."
        if (
            key == "proxy-buffer-size"
            and router_settings({key: value}, {}).buffer_bytes > HEAD_MAX_BYTES
        ):
            return "HAProxy accepts headers of 32k at most."
        return None

    def cannot_tcp(self) -> str | None:
        """HAProxy always passes on TCP ports."""
        return None

    def drain(self, limit_s: float, endpoints: Collection[Endpoint] | None = None) -> bool:
        """Wait until no instance at these endpoints that was sent away has a request; else False.

        And until nothing is left that could still send it one: a former worker's connections.
        endpoints: None is those of all instances.
        """
        deadline = time.monotonic() + limit_s
        while not self._is_drained(endpoints):
            if time.monotonic() >= deadline:
                return False
            time.sleep(DRAIN_POLL_S)
        # While HAProxy does not serve, the Nginx is the other kind's, which waits for it itself.
        left_s = max(0.0, deadline - time.monotonic())
        return not self._public or self._nginx.drain(left_s, endpoints)

    def _is_drained(self, endpoints: Collection[Endpoint] | None) -> bool:
        """Between two changes: in one, the files and what is served are not the same yet."""
        with self._locked():
            served = self._files.served() if self._public else set()
            return is_drained(self._process.master, served, endpoints)

    def restore(
        self, sites: Sequence[Site], *, before_reload: Callable[[], object] | None = None
    ) -> None:
        """Make the files exactly these, with HAProxy running or not, and reload it once.

        before_reload: called when the files are tested, before nginx releases the ports.
        A site that HAProxy refuses is set aside under the ending .refused. Raises PaasError, with
        the former shared files, if HAProxy refuses anything else.
        """
        with self._locked():
            self._renew(sites, public=True)
            parts = [part for part in map(nginx_part, sites) if part is not None]
            self._nginx.restore(parts, before_reload=before_reload)
            self._reload_if_pending()

    def renew(self) -> None:
        """Update the files that all apps share, as after an upgrade; the sites stay.

        HAProxy loads them with the next change of a site or at `restore`, which has to follow: what
        they say about an app may only fit its new files.
        """
        with self._locked():
            self._renew(None, public=self._public)

    def listen_again(self) -> None:
        """Have a HAProxy that runs listen on its ports, if it does not; the sites stay.

        Raises PaasError if it still does not, as when another program has a port.
        """
        with self._locked():
            self._renew(None, public=self._public)
            self._files.pending.touch()
            self._reload_if_pending()

    def release_ports(self) -> None:
        """Release the public ports; returns when that is done. Open requests are finished.

        Raises PaasError if a running HAProxy does not do that.
        """
        with self._locked():
            self._renew((), public=False)
            self._reload_if_pending()

    def reopen_logs(self) -> None:
        """Does nothing: the log process writes the apps' logs, and opens them each time."""

    def wait_until_up(self) -> None:
        """Return when HAProxy has a worker. Raises PaasError if it does not get one."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self.has_worker():
                return
            time.sleep(DRAIN_POLL_S)
        raise PaasError(
            "proxy-down",
            "HAProxy does not start.",
            f"What it printed is in {self._settings.paths.logs / 'haproxy.log'}.",
        )

    def has_worker(self) -> bool:
        """Whether it is up and can be changed, which is some seconds after its process starts."""
        try:
            return self._process.present() is not None
        except PaasError:
            return False

    def is_up(self) -> bool:
        """Whether its process exists."""
        return self._process.master.is_up()

    def forget(self) -> None:
        """It has ended: checks of it take less time from now on."""
        self._process.master.forget()

    def is_idle(self) -> bool:
        """Whether it serves no client: it is down, or on standby with no former worker left."""
        try:
            return not self._public and not self._process.master.workers().former
        except PaasError:
            return True

    def _renew(self, sites: Sequence[Site] | None, *, public: bool) -> None:
        """Write all files, those of the sites unless they stay, and have HAProxy test them."""
        self._files.prepare()
        wanted = self._files.shared(public=public)
        shared = {path: read_bytes(path) for path in wanted}
        for site in sites or ():
            with suppress(PaasError):  # it loses log lines, but no requests
                make_log(self._settings, site.app_id)
        if sites is not None:
            self._files.replace_sites(sites)
        try:
            if sites is None:
                # A former version had fewer tables.
                self._files.replace(self._files.tables())
            self._files.replace(wanted)
            self._set_refused_aside()
        except PaasError:
            self._files.write(shared)
            raise
        if sites is not None:
            self._files.prune()

    def _reload_if_pending(self) -> None:
        if self._files.pending.exists() and self._process.master.is_up():
            self._process.reload()
        remove(self._files.pending)

    def _take(self, app_id: int, former: Files, wanted: Files, *, at_runtime: bool) -> None:
        """Have the running HAProxy serve the files: at runtime if only instances changed."""
        change = instance_change(self._files.path(app_id, "cfg"), former, wanted)
        if at_runtime and change is not None:
            with suppress(PaasError):
                change.carry_out(self._process.present(), backends_of(app_id))
                remove(self._files.pending)
                return
        self._reload(former)

    def _reload(self, former: Files) -> None:
        """Reload; if that fails, restore the former files."""
        try:
            self._process.reload()
        except PaasError:
            self._files.write(former)
            raise
        remove(self._files.pending)

    def _set_refused_aside(self) -> None:
        while True:
            try:
                self._process.test()
            except PaasError as error:
                app_id = self._files.culprit(error.message)
                if app_id is None:
                    raise
                self._files.set_aside(app_id)
            else:
                return

    def _locked(self) -> AbstractContextManager[None]:
        """One change at a time."""
        return locked(self._settings.paths.haproxy_lock)
