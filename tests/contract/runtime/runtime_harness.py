"""A runtime under test, fake or real, with the same words for both."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from paas.domain.apps.apps import App
from paas.domain.manifest.procfile import Processes
from paas.domain.releases.artifacts import Artifact, Image, engine_of
from paas.domain.releases.releases import Instance, InstanceState, State
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.values.names import AppName, ProcessType
from paas.domain.values.secret import Secret
from paas.interfaces import Runtime
from tests.uids import uid_of
from tests.waiting import wait_for

WEB = ProcessType("web")
WORKER = ProcessType("worker")

IDLE = "exec sleep 1000"
SERVE = "exec python3 -m http.server --bind 127.0.0.1 $PORT"
EXIT_3 = "exit 3"
KILLED = "kill -KILL $$"

_rollout_ids = itertools.count(1)


def make_app(app_id: int = 12, uid: int | None = None) -> App:
    """An app with that id, and a uid of its own if none is given."""
    return App(
        id=app_id,
        name=AppName(f"app{app_id}"),
        uid=uid_of(app_id) if uid is None else uid,
        deploy_branch=None,
        current=None,
        rollout_id=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@dataclass
class Harness:
    """runtime: the one under test. slug: an app's directory. lose: the supervisor forgets all.

    image: what containers start from, if it runs these.
    """

    runtime: Runtime
    slug: Path
    lose: Callable[[], None]
    app: App = field(default_factory=make_app)
    made: list[Instance] = field(default_factory=list)
    image: Image | None = None

    def instances(self, *kinds: ProcessType, port: int | None = None) -> list[Instance]:
        """New instances of one group, one of each kind."""
        rollout_id = next(_rollout_ids)
        addresses = [LOOPBACK] * len(kinds)
        if self.image is not None:
            addresses = self.runtime.addresses(self.app, kinds, ())
        found = [
            Instance(
                self.app.id,
                5,
                rollout_id,
                kind,
                1,
                port,
                address=address,
                engine=engine_of(self.image),
            )
            for kind, address in zip(kinds, addresses, strict=True)
        ]
        self.made += found
        return found

    def start(
        self,
        instances: list[Instance],
        command: str = IDLE,
        env: Mapping[str, Secret] | None = None,
    ) -> None:
        """Start instances that all run this command."""
        processes: Processes = {instance.kind: command for instance in instances}
        artifact = Artifact(self.slug, self.image)
        self.runtime.start(
            self.runtime.workloads(self.app, instances, artifact, env or {}, processes)
        )

    def one(self, command: str = IDLE, port: int | None = None) -> Instance:
        """A started web instance."""
        (instance,) = self.instances(WEB, port=port)
        self.start([instance], command)
        return instance

    def state(self, instance: Instance) -> InstanceState:
        """What the runtime knows of it."""
        return self.runtime.states([instance])[instance.id]

    def wait_for(self, instance: Instance, state: State) -> InstanceState:
        """Wait until the instance is in that state."""
        found: list[InstanceState] = []

        def is_there() -> bool:
            found[:] = [self.state(instance)]
            return found[0].state is state

        wait_for(is_there, what=f"{instance.id} is {state.name}")
        return found[0]

    def clean_up(self) -> None:
        """Stop everything that was made."""
        self.runtime.stop(self.made, 0.0)
        self.made.clear()
