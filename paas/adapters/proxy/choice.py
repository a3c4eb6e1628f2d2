"""Which kind of proxy the server has: server.yml says so, and every change reads it again.

A long-lived process, or a deploy that began before a switch, must not write another kind's files.
So each change holds a shared lock, and a switch from one kind to the other an exclusive one.
"""

import fcntl
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace

from paas.adapters.proxy.dead_machines import end_connections
from paas.adapters.proxy.switch import Switch
from paas.adapters.server.server_yml import ServerYml
from paas.adapters.system.flocks import locked
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress, ProxyKind
from paas.settings import Settings, present

STOP_POLL_S = 0.2


class ChosenProxy:
    """`Proxy` and `ProxyChoice` of interfaces; must run as root."""

    def __init__(
        self,
        settings: Settings,
        kinds: Mapping[str, Callable[[Settings], ProxyKind]],
        switches: Mapping[str, Switch],
    ) -> None:
        self._settings = settings
        self._kinds = kinds
        self._switches = switches
        self._file = settings.paths.server_yml
        # Exists during a switch, and after a crash in one.
        self._switching = settings.paths.proxy_switch_mark

    def kind(self) -> str:
        """The kind that serves."""
        kind = present(self._file).proxy if self._file.exists() else self._settings.proxy
        if kind not in self._kinds:
            raise PaasError(
                "proxy-kind",
                f"proxy: {kind} in server.yml is none of {', '.join(self._kinds)}.",
                "Choose one of them: paas proxy:set nginx",
            )
        return kind

    def kinds(self) -> tuple[str, ...]:
        """All available kinds."""
        return tuple(self._kinds)

    def is_unsettled(self) -> bool:
        """Whether a switch was interrupted."""
        return self._switching.exists()

    def switch(self, kind: str, sites: Callable[[], Sequence[Site]], progress: Progress) -> None:
        """Serve with that kind; even if it is the current one, to finish an interrupted switch.

        sites: called when nothing can change any longer. Raises PaasError, with the former kind
        serving again, if the new one does not start to serve.
        """
        former = self.kind()
        switch = self._switches[kind]
        switch.install(progress)
        with self._lock(fcntl.LOCK_EX):
            wanted = sites()
            self._switching.touch()
            try:
                switch.take_over(self._of(kind), wanted)
                self._remember(kind)
            except BaseException:
                if former != kind:
                    self._switches[former].take_over(self._of(former), wanted)
                    self._remember(former)
                    with suppress(PaasError):  # the error to report is why the switch failed
                        switch.stop_former(self._of(former))
                self._switching.unlink(missing_ok=True)
                raise
            self._switching.unlink(missing_ok=True)

    def stop_former(self, limit_s: float) -> bool:
        """End the kinds that run and do not serve, once they have served their last request.

        False at the limit: then they keep running without doing anything.
        """
        deadline = time.monotonic() + limit_s
        while not self._former_have_stopped():
            if time.monotonic() >= deadline:
                return False
            time.sleep(STOP_POLL_S)
        return True

    def _former_have_stopped(self) -> bool:
        with self._lock(fcntl.LOCK_EX):
            kind = self.kind()
            settings = self._of(kind)
            return all(
                s.stop_former(settings) for name, s in self._switches.items() if name != kind
            )

    def apply(self, site: Site) -> None:
        """See `Proxy`."""
        with self.held():
            self._present().apply(site)

    def remove(self, app_id: int) -> None:
        """See `Proxy`."""
        with self.held():
            self._present().remove(app_id)

    def serves(self, site: Site) -> bool:
        """See `Proxy`."""
        return self._present().serves(site)

    def sites(self) -> set[int]:
        """See `Proxy`."""
        return self._present().sites()

    def cannot(self, key: str, value: str, kind: str | None = None) -> str | None:
        """See `Proxy`. kind: another one than the kind that serves."""
        return self._kinds[kind or self.kind()](self._settings).cannot(key, value)

    def cannot_tcp(self, kind: str | None = None) -> str | None:
        """See `Proxy`. kind: another one than the kind that serves."""
        present = self.kind()
        return self._kinds[kind or present](self._of(present)).cannot_tcp()

    def drain(self, limit_s: float, endpoints: Collection[Endpoint] | None = None) -> bool:
        """See `Proxy`; what a former kind still has to do is waited for, too."""
        deadline = time.monotonic() + limit_s
        settings = self._of(self.kind())
        drained = [
            make(settings).drain(max(0.0, deadline - time.monotonic()), endpoints)
            for make in self._kinds.values()
        ]
        return all(drained)

    def abandon(self, endpoints: Collection[Endpoint]) -> None:
        """See `Proxy`."""
        end_connections(endpoints)

    def restore(self, sites: Sequence[Site]) -> None:
        """See `Proxy`. If nothing runs yet, this also finishes an interrupted switch."""
        with self.held():
            self._present().restore(sites)
            self._switching.unlink(missing_ok=True)

    def replace_all(
        self,
        sites: Callable[[], Sequence[Site]],
        *,
        record: Callable[[], None] = lambda: None,
        former: Callable[[], Sequence[Site]] | None = None,
    ) -> None:
        """See `Proxy`."""
        with self._lock(fcntl.LOCK_EX):
            proxy = self._present()
            try:
                proxy.restore(sites())
                record()
            except BaseException:
                if former is not None:
                    proxy.restore(former())
                raise

    @contextmanager
    def held(self) -> Iterator[None]:
        """See `Proxy`."""
        with self._lock(fcntl.LOCK_SH):
            yield

    def _present(self) -> ProxyKind:
        kind = self.kind()
        return self._kinds[kind](self._of(kind))

    def _of(self, kind: str) -> Settings:
        return replace(self._settings, proxy=kind)

    def _remember(self, kind: str) -> None:
        if self._file.exists():
            ServerYml(self._file).set_proxy(kind)

    def _lock(self, how: int) -> AbstractContextManager[None]:
        return locked(self._settings.paths.proxy_kind_lock, how)
