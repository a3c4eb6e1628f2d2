"""One-off processes, cron jobs and log drains."""

from paas.services.logs.drains import Drains
from paas.services.notifications.notifications import Notifications
from paas.services.runs.cron import Cron
from paas.services.runs.runs import AppRuns
from paas.wiring.adapters import Adapters


def app_runs(adapters: Adapters) -> AppRuns:
    """paas run."""
    return AppRuns(
        store=adapters.store,
        slugs=adapters.slugs,
        engines=adapters.engines,
        logs=adapters.logs,
        reserve=adapters.reserve,
        stop_limit_s=adapters.settings.stop_limit_s,
    )


def cron(adapters: Adapters) -> Cron:
    """Cron jobs."""
    return Cron(
        store=adapters.store,
        slugs=adapters.slugs,
        engines=adapters.engines,
        logs=adapters.logs,
        schedules=adapters.schedules,
        clock=adapters.clock,
        stop_limit_s=adapters.settings.stop_limit_s,
    )


def drains(adapters: Adapters) -> Drains:
    """Where the apps' logs are sent."""
    return Drains(
        store=adapters.store,
        process=adapters.drain_process,
        locks=adapters.locks,
        new_token=adapters.random_token,
        to_server=adapters.settings.drain_to_server,
        of_audit=bool(adapters.settings.audit_drain),
    )


def notifications(adapters: Adapters) -> Notifications:
    """Which places are notified of troubles."""
    settings = adapters.settings
    return Notifications(
        store=adapters.store,
        notifier=adapters.notifier,
        clock=adapters.clock,
        new_token=adapters.random_token,
        server=settings.domain,
        to_private=settings.notify_private,
        has_mail=bool(settings.smtp_url),
    )
