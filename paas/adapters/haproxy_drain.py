"""Whether the instances that HAProxy was told to leave are left."""

from collections.abc import Set

from paas.adapters.haproxy_runtime import Master, Worker
from paas.domain.errors import PaasError


def is_drained(master: Master, served: Set[tuple[str, str]]) -> bool:
    """Whether only these instances (backend and name) have requests or can get any.

    Forgets those that were sent away and have none. True where HAProxy is down.
    """
    try:
        workers = master.workers()
    except PaasError:
        return True
    checks = [(pid, _present_is_drained) for pid in workers.present]
    checks += [(pid, _former_is_drained) for pid in workers.former]
    for pid, check in checks:
        try:
            if not check(master.worker(pid), served):
                return False
        except PaasError:  # it has just ended
            continue
    return True


def _present_is_drained(worker: Worker, served: Set[tuple[str, str]]) -> bool:
    left = [i for i in worker.instances() if (i.backend, i.name) not in served]
    deleted = []
    for instance in left:
        if not instance.in_maintenance:
            worker.send_away(instance.backend, instance.name)
        deleted.append(worker.delete(instance.backend, instance.name))
    return all(deleted)


def _former_is_drained(worker: Worker, served: Set[tuple[str, str]]) -> bool:
    """A former worker takes no orders, and sends what comes on a connection to whom it knew.

    So neither may a request be on an instance that is not served any more, nor a connection be
    without a request; a WebSocket of an app that was not changed does no harm, nor a file that is
    still sent.
    """
    instances, connections = worker.busy()
    return instances <= served and worker.clients() <= connections
