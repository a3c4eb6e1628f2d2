"""The monitor process: makes the liveness checks of all apps, each app's in its own thread.

So a slow app does not delay another's checks. The scheduler of cron jobs (scheduler.py) is another
thread of it. It imports little, to stay small.
"""

import os
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path

from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons import layers
from paas.entrypoints.daemons.alarms import AlarmTurns
from paas.entrypoints.daemons.archives import ArchiveKeeping
from paas.entrypoints.daemons.archives import build as build_archives
from paas.entrypoints.daemons.datastore_logs import DatastoreLogs
from paas.entrypoints.daemons.disk_quotas import DiskQuotas
from paas.entrypoints.daemons.domain_checks import DomainChecking
from paas.entrypoints.daemons.domain_checks import build as build_domain_checks
from paas.entrypoints.daemons.dumps import DumpWatch
from paas.entrypoints.daemons.dumps import build as build_dumps
from paas.entrypoints.daemons.followers import FollowerKeeping
from paas.entrypoints.daemons.followers import build as build_followers
from paas.entrypoints.daemons.fork_bombs import ForkBombs
from paas.entrypoints.daemons.housekeeping import Housekeeping
from paas.entrypoints.daemons.metrics import MetricsTurns
from paas.entrypoints.daemons.node_images import NodeImageTurns
from paas.entrypoints.daemons.node_images import build as build_node_images
from paas.entrypoints.daemons.notifications import NotificationTurns
from paas.entrypoints.daemons.previews import PreviewTurns
from paas.entrypoints.daemons.previews import build as build_previews
from paas.entrypoints.daemons.read_only_turns import ReadOnlyTurns
from paas.entrypoints.daemons.renewal import CertificateRenewal
from paas.entrypoints.daemons.renewal import build as build_renewal
from paas.entrypoints.daemons.scheduler import CronScheduling
from paas.entrypoints.daemons.scheduler import build as build_scheduling
from paas.entrypoints.daemons.store_copies import StoreCopying
from paas.entrypoints.daemons.store_copies import build as build_copying
from paas.entrypoints.daemons.supervised import (
    Changes,
    Failures,
    StopSignal,
    end_with_parent,
    log,
    mark,
    named_etc,
    share_memory_among_threads,
)
from paas.services.server.liveness import CheckStates, Liveness, Watched
from paas.settings import load
from paas.wiring.monitor import (
    alarms,
    archive_services,
    collector,
    follower_watch,
    fork_watch,
    liveness,
    log_trimming,
    monitor_adapters,
    notification_watch,
    quotas,
    read_only_turn,
)

TICK_S = 1.0


class Monitor:
    """Runs rounds until it is stopped."""

    def __init__(
        self,
        liveness: Liveness,
        database: Path,
        settings_file: Path,
        scheduling: CronScheduling,
        certificate_renewal: CertificateRenewal,
        housekeeping: Housekeeping,
        copying: StoreCopying,
        domain_checking: DomainChecking,
        disk_quotas: DiskQuotas,
        fork_bombs: ForkBombs,
        read_only_turns: ReadOnlyTurns,
        dump_watch: DumpWatch,
        archives: ArchiveKeeping,
        datastore_logs: DatastoreLogs,
        alarm_turns: AlarmTurns,
        followers: FollowerKeeping,
        node_images: NodeImageTurns,
        metrics: MetricsTurns,
        notifications: NotificationTurns,
        previews: PreviewTurns,
    ) -> None:
        self._settings_file = settings_file
        self._liveness = liveness
        self._changes = Changes(database)
        self._scheduling = scheduling
        self._certificate_renewal = certificate_renewal
        self._housekeeping = housekeeping
        self._copying = copying
        self._domain_checking = domain_checking
        self._disk_quotas = disk_quotas
        self._fork_bombs = fork_bombs
        self._read_only_turns = read_only_turns
        self._dump_watch = dump_watch
        self._archives = archives
        self._datastore_logs = datastore_logs
        self._alarm_turns = alarm_turns
        self._followers = followers
        self._node_images = node_images
        self._metrics = metrics
        self._notifications = notifications
        self._previews = previews
        self._failures = Failures()
        self._stop = threading.Event()
        self._watched: dict[int, Watched] = {}
        self._check_states: dict[int, CheckStates] = {}
        self._busy: dict[int, threading.Thread] = {}

    def run(self, ended: StopSignal) -> None:
        """Start one round per tick for each app that is not in one already, until the signal."""
        try:
            self._run(ended)
        finally:
            self._stop.set()

    def _run(self, ended: StopSignal) -> None:
        scheduler = threading.Thread(target=self._schedule, name="cron")
        scheduler.start()
        self._certificate_renewal.start(self._stop)
        self._copying.start(self._stop)
        self._domain_checking.start(self._stop)
        self._disk_quotas.start(self._stop)
        self._fork_bombs.start(self._stop)
        self._read_only_turns.start(self._stop)
        self._dump_watch.start(self._stop)
        self._archives.start(self._stop)
        self._datastore_logs.start(self._stop)
        self._alarm_turns.start(self._stop)
        self._followers.start(self._stop)
        self._node_images.start(self._stop)
        self._metrics.start(self._stop)
        self._notifications.start(self._stop)
        self._previews.start(self._stop)
        self._housekeeping.start(self._stop)
        settings = mark(self._settings_file)
        while not ended.wait(TICK_S):
            if mark(self._settings_file) != settings:
                log("The settings have changed: ending, to be started with the new ones.")
                return
            with self._failures.logged():
                self._refresh()
            for app_id, watched in self._watched.items():
                thread = self._busy.get(app_id)
                if thread is None or not thread.is_alive():
                    self._start(app_id, watched)

    def _schedule(self) -> None:
        try:
            self._scheduling.run(self._stop)
        except BaseException:
            log(traceback.format_exc())
            os._exit(1)  # the supervisor restarts this process, and nothing is lost

    def _start(self, app_id: int, watched: Watched) -> None:
        check_states = self._check_states.setdefault(app_id, {})

        def round_() -> None:
            try:
                self._liveness.round(watched, check_states, self._stop.is_set)
            except PaasError as error:
                log(f"{watched.app.name}: {error.report}")
            except Exception:  # an error of ours must not end the watching of an app
                log(traceback.format_exc())

        self._busy[app_id] = threading.Thread(target=round_, daemon=True)
        self._busy[app_id].start()

    def _refresh(self) -> None:
        """Read the store again if it has changed."""
        if not self._changes.any():
            return
        try:
            self._watched = self._liveness.watched()
        except BaseException:
            self._changes.forget()
            raise
        for table in (self._check_states, self._busy):
            for app_id in table.keys() - self._watched.keys():
                del table[app_id]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the process of the server whose settings are in ETC/server.yml."""
    end_with_parent()
    share_memory_among_threads()
    settings_file = named_etc(argv) / "server.yml"
    try:
        settings = load(settings_file)
    except PaasError as error:
        log(error.report)
        return error.exit_code
    os.umask(0o022)
    layers.start(settings)
    # Each thread has its own: the connection of a store belongs to the thread that opens it.
    adapters = monitor_adapters(settings)
    database = adapters.store.database.path
    monitor = Monitor(
        liveness(adapters),
        database,
        settings_file,
        build_scheduling(monitor_adapters(settings), Changes(database), log),
        build_renewal(settings.etc, adapters.clock, Changes(database), log),
        Housekeeping(adapters),
        build_copying(monitor_adapters(settings), Changes(database), log),
        build_domain_checks(settings, monitor_adapters(settings).store, adapters.clock, log),
        DiskQuotas(quotas(monitor_adapters(settings)), adapters.logs, log),
        ForkBombs(*fork_watch(settings), adapters.logs, log),
        ReadOnlyTurns(read_only_turn(monitor_adapters(settings)), log),
        build_dumps(monitor_adapters(settings), log),
        build_archives(
            settings,
            *archive_services(monitor_adapters(settings)),
            adapters.logs,
            adapters.clock,
            log,
        ),
        DatastoreLogs(monitor_adapters(settings).store, log_trimming(adapters), log),
        AlarmTurns(alarms(monitor_adapters(settings)), log),
        build_followers(settings, follower_watch(monitor_adapters(settings)), log),
        build_node_images(monitor_adapters(settings), log),
        MetricsTurns(collector(monitor_adapters(settings)), Changes(database), adapters.clock, log),
        NotificationTurns(notification_watch(monitor_adapters(settings)), log),
        build_previews(monitor_adapters(settings), log),
    )
    monitor.run(StopSignal())
    return 0


if __name__ == "__main__":
    sys.exit(main())
