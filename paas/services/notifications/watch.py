"""Finds what is wrong now, and has each place told of what it was not told yet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.metrics.resolutions import RESOLUTIONS
from paas.domain.notifications.ledger import Ledger, News
from paas.domain.notifications.messages import message_of
from paas.domain.releases.releases import Status
from paas.domain.server.alarms import Trouble
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Disk, Ledgers, MetricsFiles, Notifier
from paas.services.server.alarms import Alarms
from paas.store import Store

# A process that crashes at once is started again at least every five minutes.
_LONG_S, _SHORT_S, _CRASHES = 1_800, 600, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """server: its domain. min_free_bytes: of the disk, below which code is refused."""

    store: Store
    alarms: Alarms
    metrics: MetricsFiles
    disk: Disk
    notifier: Notifier
    ledgers: Ledgers
    clock: Clock
    server: str
    min_free_bytes: int

    def look(self) -> int:
        """Returns how many places were told something. Costs next to nothing while there are none.

        Raises PaasError, with all that is possible done, if a place could not be told.
        """
        wishes = self.store.notifications.wishes()
        if not wishes:
            return 0
        troubles, now = [*self.troubles()], self.clock.now().timestamp()
        before = self.ledgers.read()
        mine: dict[str, list[Trouble]] = {
            id: [one for one in troubles if one.event in events and app_id in (None, one.app_id)]
            for id, app_id, events in wishes
        }
        ledgers = {id: before.get(id, Ledger()) for id in mine}
        news = {id: ledger.news(mine[id], now) for id, ledger in ledgers.items()}
        failures = self._send({id: one for id, one in news.items() if one})
        for id, ledger in ledgers.items():
            if failures.get(id) is not None:
                ledgers[id] = ledger.failed(now)
            elif news[id]:
                ledgers[id] = ledger.after(news[id], mine[id], now)
        if ledgers != before:
            self.ledgers.write(ledgers)
        for id, why in failures.items():
            if why is not None:
                raise PaasError("notify-failed", f"{id} could not be notified: {why}.")
        return len(failures)

    def _send(self, news: dict[str, News]) -> dict[str, str | None]:
        if not news:
            return {}
        try:
            return self.notifier.send(
                {id: message_of(self.server, one) for id, one in news.items()}
            )
        except PaasError as error:
            return dict.fromkeys(news, error.summary)

    def troubles(self) -> Iterator[Trouble]:
        """All that there are now."""
        yield from self.alarms.troubles()
        for app in self.store.apps.all():
            yield from self._of_app(app)
        free, total = self.disk.space()
        if free < max(2 * self.min_free_bytes, total // 50):
            yield Trouble(
                "disk",
                f"The disk is nearly full: {free // 1024**2} MiB are free.",
                event="disk",
                next="See what takes it: paas disk. Remove what is not needed.",
            )

    def _of_app(self, app: App) -> Iterable[Trouble]:
        yield from self._deploys(app)
        yield from self._crashes(app)
        now = self.clock.now()
        for one in self.store.certificates.of_app(app.id):
            if one.is_worrying(now):
                names = ", ".join(one.facts.names[:3])
                yield Trouble(
                    f"certificate {one.id}",
                    f"{app.name}: the certificate of {names} is valid until "
                    f"{one.facts.not_after:%Y-%m-%d %H:%M} UTC only.",
                    event="certificate",
                    app_id=app.id,
                    next=f"paas certs -a {app.name}",
                )

    def _deploys(self, app: App) -> Iterable[Trouble]:
        build = self.store.builds.last_ended(app.id)
        release = self.store.releases.last_ended(app.id)
        failed_release = release is not None and release.status is Status.FAILED
        if build is not None and build.status is Status.FAILED:
            # A release that was made later, such as a rollback, ends it.
            if release is None or failed_release or release.created_at <= build.created_at:
                yield Trouble(
                    f"deploy {app.id}",
                    f"{app.name}: the deploy of {build.commit[:10]} by {build.user} failed: "
                    f"{build.reason or 'see its output'}",
                    event="deploy-failed",
                    app_id=app.id,
                    next=f"paas builds:output -a {app.name}",
                    mark=build.id,
                )
        elif release is not None and failed_release:
            yield Trouble(
                f"deploy {app.id}",
                f"{app.name}: release v{release.version} ({release.description}) failed.",
                event="deploy-failed",
                app_id=app.id,
                next=f"paas logs --release v{release.version} -s paas -a {app.name}",
                mark=f"v{release.version}",
            )

    def _crashes(self, app: App) -> Iterable[Trouble]:
        minutes, now_s = RESOLUTIONS[1], int(self.clock.now().timestamp())
        with self.metrics.reading(app.id) as file:
            if file is None:
                return
            loads = file.loads(minutes, now_s - _LONG_S, now_s)
        crashes = sum(one.restarts for one in loads.values())
        latest = sum(one.restarts for at, one in loads.items() if at >= now_s - _SHORT_S)
        if crashes >= _CRASHES and latest:
            yield Trouble(
                f"crash-loop {app.id}",
                f"{app.name} crashes again and again: {crashes} times within half an hour.",
                event="crash-loop",
                app_id=app.id,
                next=f"paas ps -a {app.name}; paas logs -a {app.name}",
            )
