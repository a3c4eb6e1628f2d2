"""Connection poolers in memory."""

from collections.abc import Callable

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.pooling import Pooler
from paas.domain.runtime.workloads import Limits, Workload
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress


class FakePoolers:
    """`ConnectionPoolers`. files: the ids of datastores whose poolers have some.

    is_running: whether the supervisor runs a workload of that id. logins: of each server, by id.
    known: those that each was told last. fail: raised by the next `set_up`.
    """

    def __init__(self) -> None:
        self.files: set[int] = set()
        self.logins: dict[int, dict[str, str]] = {}
        self.known: dict[int, set[str]] = {}
        self.has_program = True
        self.fail: PaasError | None = None
        self.is_running: Callable[[str], bool] = lambda _id: True

    def is_installed(self) -> bool:
        return self.has_program

    def ensure_installed(self, progress: Progress) -> None:
        self.has_program = True

    def refresh(self, pooler: Pooler) -> None:
        self.files.add(pooler.datastore.id)

    def workload(self, pooler: Pooler) -> Workload:
        return Workload(
            group=pooler.group,
            label="server.1",
            uid=pooler.datastore.uid,
            argv=("pgbouncer",),
            env={},
            binds=(),
            limits=Limits(64, 8, 500, 4),
            ports=(pooler.port,),
        )

    def set_up(self, pooler: Pooler, limit_s: float) -> None:
        if self.fail is not None:
            raise self.fail

    def learn_logins(self, pooler: Pooler, pid: int | None) -> None:
        one = pooler.datastore
        self.known[one.id] = {*self.logins[one.id]}

    def answers(self, pooler: Pooler) -> bool:
        one = pooler.datastore
        runs = self.is_running(self.workload(pooler).id)
        return runs and one.login in self.known.get(one.id, set())

    def remove(self, datastore: Datastore) -> None:
        self.files.discard(datastore.id)
        self.known.pop(datastore.id, None)
