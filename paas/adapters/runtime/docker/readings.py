"""The counters of containers' cgroups, which the engine names by the containers' ids.

It is asked for these over its socket by hand: the SDK would take 10 MB in the monitor.
"""

import http.client
import json
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from paas.adapters.docker.connection import API_VERSION, SERVER_LABEL, engine_down
from paas.adapters.runtime.docker.records import Records
from paas.adapters.runtime.native.readings import cpu_ms_of, memory_kib_of
from paas.domain.metrics.figures import Reading

_LIMIT_S = 10.0
_CGROUPS = Path("/sys/fs/cgroup")


def readings(
    engine: Path, label: str, names: Iterable[str], records: Records
) -> dict[str, Reading]:
    """Of those of these containers that run, by name. engine: its socket. label: the server's.

    Raises PaasError ``docker-down``.
    """
    wanted = set(names)
    ids = {name: id for name, id in _running(engine, label).items() if name in wanted}
    return {
        name: Reading(_cpu_ms(id), _memory_kib(id), int((records.of(name) or {}).get("exits", 0)))
        for name, id in ids.items()
    }


def _running(engine: Path, label: str) -> dict[str, str]:
    """The ids of the server's running containers, by name."""
    filters = quote(json.dumps({"label": [f"{SERVER_LABEL}={label}"]}))
    connection = http.client.HTTPConnection("localhost", timeout=_LIMIT_S)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        made.settimeout(_LIMIT_S)
        made.connect(str(engine))
        connection.sock = made
        connection.request("GET", f"/v{API_VERSION}/containers/json?filters={filters}")
        found = json.loads(connection.getresponse().read())
        return {one["Names"][0].lstrip("/"): one["Id"] for one in found}
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
        raise engine_down(str(error)) from error
    finally:
        connection.close()
        made.close()


def _cpu_ms(id: str) -> int:
    with suppress(OSError):
        return cpu_ms_of(_CGROUPS / "docker" / id)
    for controllers in ("cpuacct", "cpu,cpuacct"):
        with suppress(OSError):
            file = _CGROUPS / controllers / "docker" / id / "cpuacct.usage"
            return int(file.read_text()) // 1_000_000
    return 0


def _memory_kib(id: str) -> int:
    with suppress(OSError):
        return memory_kib_of(_CGROUPS / "docker" / id, unified=True)
    with suppress(OSError):
        return memory_kib_of(_CGROUPS / "memory" / "docker" / id, unified=False)
    return 0
