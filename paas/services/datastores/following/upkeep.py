"""Keeps followers, and what their leaders keep for them, in step with the store."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, DatastoreFollowers, Locks, Logs, Progress
from paas.services.datastores.following.watch import FollowerWatch
from paas.services.datastores.upkeep import START_LIMIT_S, STOP_LIMIT_S, DatastoreUpkeep
from paas.services.progress import waiting
from paas.store import Store

# How long a follower may take to have what was written at its leader before it is used.
CATCH_UP_LIMIT_S = 30.0
_SOURCE = "datastore"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerUpkeep:
    """What is done to followers, for users and for repairs."""

    store: Store
    followers: Mapping[DatastoreKind, DatastoreFollowers]
    watch: FollowerWatch
    upkeep: DatastoreUpkeep
    locks: Locks
    logs: Logs
    clock: Clock

    def of(self, leader: Datastore) -> list[Datastore]:
        """The followers of a datastore that serve."""
        found = self.store.datastores.followers(leader.id)
        return [one for one in found if one.state is DatastoreState.READY]

    def let_catch_up(self, leader: Datastore, progress: Progress) -> None:
        """Wait until its followers have all its changes; warns if one does not catch up."""
        for one in self.of(leader):
            if not self.followers[one.kind].has_caught_up(one, CATCH_UP_LIMIT_S):
                progress.warn(f"{one.name} has not caught up with its leader, {leader.name}, yet.")

    def release(self, datastore: Datastore, progress: Progress) -> Datastore:
        """Make a follower independent, under the lock of its app; returns it as it is then.

        The apps to which it is attached still have to be restarted: see `LoginRotation.finish_one`.
        """
        followers, leader = self.followers[datastore.kind], datastore.leader
        assert leader is not None
        self.store.datastores.set_state(datastore.name, DatastoreState.UNFOLLOWING)
        server, runtime = self.upkeep.servers[datastore.kind], self.upkeep.runtime
        with progress.doing(f"making {datastore.name} independent"):
            runtime.stop([server.workload(datastore)], STOP_LIMIT_S)
            followers.release(datastore)
            own = datastore.released()
            server.refresh(own)
            runtime.start([server.workload(own)])
            server.set_up(own, START_LIMIT_S)
        self.store.datastores.end_following(datastore, self.clock.now())
        self.upkeep.let_clients()
        self.dismiss_former(leader)
        found = self.store.datastores.find(datastore.name)
        assert found is not None
        return found

    def copy_again(self, datastore: Datastore) -> None:
        """Copy a follower again, under the lock of its app."""
        followers = self.followers[datastore.kind]
        server, runtime = self.upkeep.servers[datastore.kind], self.upkeep.runtime
        self.store.datastores.set_state(datastore.name, DatastoreState.COPYING)
        runtime.stop([server.workload(datastore)], STOP_LIMIT_S)
        followers.admit(datastore)
        followers.copy(datastore)
        server.refresh(datastore)
        runtime.start([server.workload(datastore)])
        server.set_up(datastore, START_LIMIT_S)
        self.store.datastores.set_state(datastore.name, DatastoreState.READY)

    def dismiss_former(self, leader: Datastore) -> None:
        """Remove what a leader keeps for former followers; `run` does so, too."""
        with suppress(PaasError):  # its server may be down, or it is being removed
            present = self.store.datastores.followers(leader.id)
            self.followers[leader.kind].dismiss_others(leader, present)

    def run(self, progress: Progress) -> int:
        """Finish what was interrupted, and copy again the followers that have lost their slot.

        Returns how many were repaired. Apps that are being changed now are left alone.
        """
        mended = 0
        for one in self.watch.all():
            if self.locks.app_is_held(one.app_id):
                continue
            try:
                mended += self._mend(one, progress)
            except PaasError as error:
                progress.warn(f"{one.name}: {error.report}")
                self.logs.write(one.app_id, _SOURCE, f"{one.name}: {error.message}")
        for leader in self.store.datastores.all():
            leads = leader.state is DatastoreState.READY and leader.following is None
            if leads and leader.kind in self.followers:
                self.dismiss_former(leader)
        return mended

    def _mend(self, one: Datastore, progress: Progress) -> int:
        with self.locks.app(one.app_id, "the server looks after a follower", waiting(progress)):
            found = self.store.datastores.find(one.name)
            if found is None or found.leader is None or not self.watch.is_unsettled(found):
                return 0
            if found.state is DatastoreState.UNFOLLOWING:
                self.release(found, progress)
                return 1
            self.logs.write(
                found.app_id,
                _SOURCE,
                f"{found.name} is too far behind {found.leader.name} and is copied again; "
                "nobody can connect to it meanwhile.",
            )
            self.copy_again(found)
            self.logs.write(
                found.app_id, _SOURCE, f"{found.name} follows {found.leader.name} again."
            )
            return 1
