"""Rejects packets to apps that have no network yet, instead of sending them to the gateway.

While a server starts, its proxy may listen before the networks of its apps exist again. Another
host with such an address, or a gateway that answers for all, would receive users' requests.
"""

from collections.abc import Iterable
from contextlib import suppress

from paas.adapters.system.files import remove, write_atomic
from paas.adapters.system.subprocesses import run
from paas.domain.values.errors import PaasError
from paas.settings import Settings

_IP = "/usr/sbin/ip"
# Any other route to the same addresses comes first. Each server of a machine has its own.
_METRIC = 4_000_000_000
_TIMEOUT_S = 30.0


def refuse_missing(settings: Settings) -> None:
    """From now on, connections to such addresses fail at once; prints a warning if that fails.

    Routes of former settings go. All are recorded before they are made, so that `stop_refusing`
    knows those of a killed process, too.
    """
    record, wanted, former = settings.paths.own_routes, _wanted(settings), _recorded(settings)
    try:
        write_atomic(record, "\n".join([*former, *wanted]), durable=False)
        for route in wanted:
            _ip_route("replace", route)
        _delete(set(former) - set(wanted))
        write_atomic(record, "\n".join(wanted), durable=False)
    except PaasError as error:
        print(f"Requests may leave the machine while an app starts: {error.message}", flush=True)


def stop_refusing(settings: Settings) -> None:
    """Undo that, when the server is stopped."""
    _delete(_recorded(settings))
    remove(settings.paths.own_routes)


def _wanted(settings: Settings) -> list[str]:
    """Those of the networks that this server has; others may be somebody's elsewhere."""
    metric = _METRIC + settings.ports[0]
    apps = [settings.app_addresses] if settings.app_networks else []
    containers = [settings.docker_addresses] if settings.docker else []
    return [f"unreachable {one} metric {metric}" for one in (*apps, *containers)]


def _recorded(settings: Settings) -> list[str]:
    record = settings.paths.own_routes
    return record.read_text().splitlines() if record.exists() else []


def _delete(routes: Iterable[str]) -> None:
    for route in routes:
        with suppress(PaasError):  # somebody else has deleted it
            _ip_route("delete", route)


def _ip_route(action: str, route: str) -> None:
    run(
        [_IP, "route", action, *route.split()],
        description="Changing the machine's routes",
        timeout_s=_TIMEOUT_S,
        env={},
    )
