"""Changing the plan of a datastore: its limits change, and its data stay."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import Plan
from paas.domain.datastores.postgresql_settings import refuse_unfit
from paas.domain.datastores.redis import max_memory_mib
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.sizes import size_words
from paas.interfaces import DatastoreServer, Locks, Progress
from paas.services.access import find_app
from paas.services.datastores.finding import (
    refuse_foreign,
    refuse_kind,
    refuse_smaller,
    refuse_unready,
    visible,
)
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanges:
    """Every kind has to be restarted, since a process gets its limits when it starts."""

    store: Store
    servers: Mapping[DatastoreKind, DatastoreServer]
    upkeep: DatastoreUpkeep
    locks: Locks

    def change(
        self,
        actor: Actor,
        name: str,
        datastore: str,
        order: tuple[DatastoreKind, Plan],
        progress: Progress,
    ) -> None:
        """Change a datastore's plan and restart it; if it does not come up, it keeps its old one.

        order: its present kind, and the new plan.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        kind, plan = order
        with self.locks.app(app.id, f"{actor.name} changes the plan of a datastore"):
            one = visible(self.store, app, datastore, None).datastore
            refuse_kind(one.name, one.kind, kind)
            refuse_foreign(self.store, app, one)
            refuse_unready(one)
            if plan == one.plan:
                raise usage_error(
                    "datastore-plan",
                    f"{one.name} already has the plan {plan.name}.",
                    f"See what it has: paas addons:info {one.name} -a {app.name}",
                )
            self._refuse_too_small(one, plan)
            with progress.doing(f"restarting {one.name} with the plan {plan.name}"):
                try:
                    self._apply(one, plan)
                except BaseException:
                    with suppress(PaasError, OSError):
                        self._apply(one, one.plan)
                    raise
        progress.step(f"{one.name} has the plan {plan.name}: {plan.memory_mib} MiB of memory")

    def _apply(self, one: Datastore, plan: Plan) -> None:
        self.store.datastores.set_plan(one.name, plan)
        changed = self.store.datastores.find(one.name)
        assert changed is not None
        self.upkeep.restart_held(changed)
        self.upkeep.poolers.restart(changed)

    def _refuse_too_small(self, one: Datastore, plan: Plan) -> None:
        refuse_smaller(one.leader, plan)
        for follower in self.store.datastores.followers(one.id):
            refuse_smaller(replace(one, plan=plan), follower.plan)
        if one.kind is DatastoreKind.POSTGRESQL:
            refuse_unfit(one, plan)
        if one.kind is not DatastoreKind.REDIS:
            return
        used, most = self.servers[one.kind].figures(one).size_bytes, max_memory_mib(plan) * 1024**2
        if used > most:
            raise PaasError(
                "datastore-plan",
                f"{one.name} has {size_words(used)} of data, but the plan {plan.name} has room for "
                f"only {size_words(most)}.",
                "Delete keys first, or keep the plan.",
            )
