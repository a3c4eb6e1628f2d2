"""Releases: what makes every change of what runs, and what it is made of."""

from dataclasses import dataclass

from paas.services.releases.changes import Changes
from paas.services.releases.diffs import Diffs
from paas.services.releases.draining import Draining
from paas.services.releases.earlier import EarlierReleases
from paas.services.releases.losses import LossWarning
from paas.services.releases.release_commands import ReleaseCommands
from paas.services.releases.releases import Releases
from paas.services.releases.rollback_guard import RollbackGuard
from paas.services.releases.rollout import Rollout
from paas.services.releases.startup import Startup
from paas.services.routing.redirects import Redirects
from paas.services.routing.sites import Sites
from paas.wiring.adapters import Adapters
from paas.wiring.monitor import renewals


@dataclass(frozen=True, slots=True, kw_only=True)
class Releasing:
    """Those that other services use."""

    release_commands: ReleaseCommands
    diffs: Diffs
    changes: Changes
    releases: Releases


def releasing(adapters: Adapters, sites: Sites) -> Releasing:
    """They use each other in the order of a change."""
    release_commands = ReleaseCommands(
        store=adapters.store,
        engines=adapters.engines,
        slugs=adapters.slugs,
        logs=adapters.logs,
        limit_s=adapters.settings.release_limit_s,
    )
    diffs = Diffs(
        store=adapters.store, repository=adapters.repository, schedules=adapters.schedules
    )
    draining = _draining(adapters)
    changes = Changes(
        store=adapters.store,
        logs=adapters.logs,
        draining=draining,
        rollout=_rollout(adapters, sites, release_commands, draining),
        guard=_guard(adapters),
        earlier=EarlierReleases(
            store=adapters.store, diffs=diffs, logs=adapters.logs, clock=adapters.clock
        ),
        loss_warning=LossWarning(
            store=adapters.store, engines=adapters.engines, layers=adapters.layers
        ),
    )
    releases = Releases(store=adapters.store, changes=changes, diffs=diffs, logs=adapters.logs)
    return Releasing(
        release_commands=release_commands, diffs=diffs, changes=changes, releases=releases
    )


def _draining(adapters: Adapters) -> Draining:
    return Draining(
        store=adapters.store,
        engines=adapters.engines,
        proxy=adapters.proxy,
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
        drain_limit_s=adapters.settings.drain_limit_s,
        stop_limit_s=adapters.settings.stop_limit_s,
    )


def _rollout(
    adapters: Adapters, sites: Sites, release_commands: ReleaseCommands, draining: Draining
) -> Rollout:
    startup = Startup(
        engines=adapters.engines, probe=adapters.probe, logs=adapters.logs, clock=adapters.clock
    )
    redirects = Redirects(
        sites=sites,
        probe=adapters.probe,
        behind_balancer=bool(adapters.settings.trusted_proxies.strip()),
        renewals=renewals(adapters),
    )
    return Rollout(
        store=adapters.store,
        engines=adapters.engines,
        proxy=adapters.proxy,
        ports=adapters.ports,
        slugs=adapters.slugs,
        logs=adapters.logs,
        sites=sites,
        startup=startup,
        redirects=redirects,
        release_commands=release_commands,
        reserve=adapters.reserve,
        draining=draining,
        addresses=adapters.addresses,
        limits=adapters.settings.start_limits,
    )


def _guard(adapters: Adapters) -> RollbackGuard:
    return RollbackGuard(
        store=adapters.store,
        engines=adapters.engines,
        requests=adapters.requests,
        logs=adapters.logs,
        clock=adapters.clock,
        window_s=adapters.settings.watch_window_s,
    )
