"""What users can do only with Redis: choosing what happens when its memory is full."""

from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.redis import POLICY, Policy, policy_of
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.interfaces import Locks, Progress, RedisServers
from paas.services.access import find_app
from paas.services.datastores.finding import refuse_foreign, visible
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUses:
    """The Redis datastores of apps."""

    store: Store
    redis: RedisServers
    locks: Locks

    def policy(self, actor: Actor, name: str, wanted: str | None) -> Policy:
        """What happens when its memory is full. wanted: see `visible`."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        return policy_of(visible(self.store, app, wanted, DatastoreKind.REDIS).datastore)

    def set_policy(
        self, actor: Actor, name: str, wanted: str | None, policy: Policy, progress: Progress
    ) -> None:
        """Choose what happens when its memory is full, at once and without a restart."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.locks.app(app.id, f"{actor.name} configures a datastore"):
            found = self._own(app, wanted)
            self.store.datastores.set_setting(found.name, POLICY, policy)
            changed = self.store.datastores.find(found.name)
            assert changed is not None
            self.redis.configure(changed)
        progress.step(f"{found.name} has the policy {policy}")

    def _own(self, app: App, wanted: str | None) -> Datastore:
        """The datastore that is meant, if it belongs to the app."""
        found = visible(self.store, app, wanted, DatastoreKind.REDIS).datastore
        refuse_foreign(self.store, app, found)
        return found
