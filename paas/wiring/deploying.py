"""The services that bring a release up: a deploy and all that goes the same way."""

from dataclasses import dataclass

from paas.adapters.builds.submodules import SandboxSubmodules
from paas.adapters.network.health import HttpProbe
from paas.adapters.network.ports import LocalPorts
from paas.adapters.proxy.access_log import RouterLog
from paas.adapters.runtime.native.throwaway import LiveLayers
from paas.adapters.system.random_names import random_secret
from paas.services.builds.build import SlugMaker
from paas.services.builds.trees import Trees
from paas.services.deploys.deploys import Deploys
from paas.services.releases.changes import Changes
from paas.services.releases.diffs import Diffs
from paas.services.releases.draining import Draining
from paas.services.releases.earlier import EarlierReleases
from paas.services.releases.losses import LossWarning
from paas.services.releases.pruning import Pruning
from paas.services.releases.release_commands import ReleaseCommands
from paas.services.releases.releases import Releases
from paas.services.releases.rollback_guard import RollbackGuard
from paas.services.releases.rollout import Rollout
from paas.services.releases.startup import Startup
from paas.services.routing.redirects import Redirects
from paas.services.routing.sites import Sites
from paas.wiring.adapters import Outside


@dataclass(frozen=True, slots=True)
class Deploying:
    """Those of them that others are made of."""

    changes: Changes
    diffs: Diffs
    releases: Releases
    deploys: Deploys


def deploying(out: Outside, sites: Sites) -> Deploying:
    """They know each other in the order of a deploy."""
    settings = out.settings
    startup = Startup(
        runtime=out.runtime,
        probe=HttpProbe(),
        logs=out.logs,
        clock=out.clock,
    )
    release_commands = ReleaseCommands(
        one_off=out.one_off, slugs=out.slugs, logs=out.logs, limit_s=settings.release_limit_s
    )
    draining = Draining(
        store=out.store,
        runtime=out.runtime,
        proxy=out.proxy,
        locks=out.locks,
        logs=out.logs,
        clock=out.clock,
        drain_limit_s=settings.drain_limit_s,
        stop_limit_s=settings.stop_limit_s,
    )
    rollout = Rollout(
        store=out.store,
        runtime=out.runtime,
        proxy=out.proxy,
        ports=LocalPorts(settings),
        slugs=out.slugs,
        logs=out.logs,
        sites=sites,
        startup=startup,
        redirects=Redirects(
            sites=sites,
            probe=startup.probe,
            behind_balancer=bool(settings.trusted_proxies.strip()),
        ),
        release_commands=release_commands,
        reserve=out.reserve,
        draining=draining,
        addresses=out.addresses,
        limits=settings.start_limits,
    )
    diffs = Diffs(store=out.store, repository=out.repository, schedules=out.schedules)
    guard = RollbackGuard(
        store=out.store,
        runtime=out.runtime,
        requests=RouterLog(settings.state / "logs"),
        logs=out.logs,
        clock=out.clock,
        window_s=settings.watch_window_s,
    )
    changes = Changes(
        store=out.store,
        logs=out.logs,
        draining=draining,
        rollout=rollout,
        guard=guard,
        earlier=EarlierReleases(store=out.store, diffs=diffs, logs=out.logs, clock=out.clock),
        loss_warning=LossWarning(store=out.store, runtime=out.runtime, layers=LiveLayers()),
    )
    pruning = Pruning(
        store=out.store,
        slugs=out.slugs,
        runs=out.runs,
        keep_slugs=settings.keep_slugs,
        keep_slugs_mib=settings.keep_slugs_mib,
    )
    maker = SlugMaker(
        trees=Trees(
            store=out.store,
            repository=out.repository,
            submodules=SandboxSubmodules(settings),
        ),
        store=out.store,
        repository=out.repository,
        builder=out.builder,
        queue=out.queue,
        slugs=out.slugs,
        release_commands=release_commands,
        schedules=out.schedules,
        clock=out.clock,
        random_secret=random_secret,
        limits=settings.start_limits,
    )
    deploys = Deploys(
        store=out.store,
        repository=out.repository,
        maker=maker,
        queue=out.queue,
        slugs=out.slugs,
        pruning=pruning,
        changes=changes,
        sites=sites,
        reserve=out.reserve,
        release_commands=release_commands,
        logs=out.logs,
        clock=out.clock,
    )
    releases = Releases(store=out.store, changes=changes, diffs=diffs, logs=out.logs)
    return Deploying(changes, diffs, releases, deploys)
