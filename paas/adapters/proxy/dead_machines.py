"""Ends the connections to machines that have died: neither nginx nor the kernel notices soon.

The kernel repeats what it has sent for a quarter of an hour, and where a response is waited for it
sends nothing at all. After ``ss -K`` (SOCK_DESTROY) the proxy sees an error: it sends a request to
another instance if it may be repeated, and otherwise answers 502.
"""

import socket
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from paas.adapters.system.subprocesses import run
from paas.domain.routing.endpoints import Endpoint

SS = "/usr/bin/ss"
# A lost packet is sent again after 1 s.
ANSWER_S = 1.5
LIMIT_S = 30.0
_AT_ONCE = 32


def end_connections(endpoints: Collection[Endpoint]) -> None:
    """End those to endpoints that neither accept nor refuse another one.

    Where only a machine's Docker has died, its containers may still be answering. Raises PaasError
    if ss cannot be run; a kernel without SOCK_DESTROY just does nothing.
    """
    with ThreadPoolExecutor(_AT_ONCE) as looks:
        found = looks.map(lambda one: (one, _is_silent(one)), endpoints)
        silent = [one for one, is_silent in found if is_silent]
    if silent:
        run(
            [SS, "-K", "-t", "-n", "-H", *_filter(silent)],
            description="Ending the connections to a dead machine",
            timeout_s=LIMIT_S,
            env={},
        )


def _is_silent(endpoint: Endpoint) -> bool:
    try:
        socket.create_connection((endpoint.host, endpoint.port), ANSWER_S).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return False


def _filter(endpoints: Sequence[Endpoint]) -> list[str]:
    """An expression of ss(8): one of these at the other end."""
    words: list[str] = []
    for endpoint in endpoints:
        words += ["or", "dst", str(endpoint)]
    return ["(", *words[1:], ")"]
