"""Whether instances that HAProxy no longer sends requests to have none left."""

from collections.abc import Callable, Collection, Set

from paas.adapters.proxy.haproxy.runtime_api import Master, Worker
from paas.adapters.proxy.haproxy.site_conf import instance_name
from paas.domain.routing.endpoints import Endpoint
from paas.domain.values.errors import PaasError

Instances = Set[tuple[str, str]]


def is_drained(
    master: Master, served: Instances, endpoints: Collection[Endpoint] | None = None
) -> bool:
    """Whether what is no longer served (backend and name) at these endpoints has no requests.

    And can get none. endpoints: None is all. Forgets those that were sent away and have none. True
    if HAProxy is down.
    """
    names = None if endpoints is None else {instance_name(one) for one in endpoints}

    def goes(backend: str, name: str) -> bool:
        return (backend, name) not in served and (names is None or name in names)

    try:
        workers = master.workers()
    except PaasError:
        return True
    checks = [(pid, _present_is_drained) for pid in workers.present]
    checks += [(pid, _former_is_drained) for pid in workers.former]
    for pid, check in checks:
        try:
            if not check(master.worker(pid), goes):
                return False
        except PaasError:  # it has just exited
            continue
    return True


def _present_is_drained(worker: Worker, goes: Callable[[str, str], bool]) -> bool:
    left = [i for i in worker.instances() if goes(i.backend, i.name)]
    deleted = []
    for instance in left:
        if not instance.in_maintenance:
            worker.send_away(instance.backend, instance.name)
        deleted.append(worker.delete(instance.backend, instance.name))
    return all(deleted)


def _former_is_drained(worker: Worker, goes: Callable[[str, str], bool]) -> bool:
    """A former worker accepts no commands, and still sends requests to the instances it knew.

    So no request may be on an instance that is removed, and no connection may be idle; a WebSocket
    of another app does no harm, nor does a file that is still being sent.
    """
    instances, connections = worker.busy()
    return not any(goes(*instance) for instance in instances) and worker.clients() <= connections
