"""Rejects packets to apps that have no network yet, instead of sending them to the gateway.

While a server starts, its proxy may listen before the networks of its apps exist again. Another
host with such an address, or a gateway that answers for all, would receive users' requests.
"""

from contextlib import suppress

from paas.adapters.system.subprocesses import run
from paas.domain.values.errors import PaasError
from paas.settings import Settings

_IP = "/usr/sbin/ip"
# Any other route to the same addresses comes first. Each server of a machine has its own.
_METRIC = 4_000_000_000
_TIMEOUT_S = 30.0


def refuse_missing(settings: Settings) -> None:
    """From now on, connections to such addresses fail at once; prints a warning if that fails."""
    for words in _routes(settings):
        try:
            _ip_route("replace", words)
        except PaasError as error:
            print(
                f"Requests may leave the machine while an app starts: {error.message}", flush=True
            )


def stop_refusing(settings: Settings) -> None:
    """Undo that, when the server is stopped."""
    for words in _routes(settings):
        with suppress(PaasError):
            _ip_route("delete", words)


def _routes(settings: Settings) -> list[list[str]]:
    metric = str(_METRIC + settings.ports[0])
    return [["unreachable", str(one), "metric", metric] for one in settings.own_networks]


def _ip_route(action: str, words: list[str]) -> None:
    run(
        [_IP, "route", action, *words],
        description="Changing the machine's routes",
        timeout_s=_TIMEOUT_S,
        env={},
    )
