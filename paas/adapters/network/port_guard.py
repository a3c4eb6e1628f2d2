"""Ensures that the server's daemons get their ports on every address, and says who has them.

An outgoing connection may hold a port on IPv4: sshd then keeps running and listens on IPv6 only.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from paas.adapters.network import reserved_ports
from paas.adapters.network.ports import has_ipv6, taken_address
from paas.adapters.network.reserved_ports import Range
from paas.adapters.server.listening import other_holder, unreachable_addresses
from paas.adapters.system.files import write_atomic
from paas.domain.values.errors import PaasError
from paas.settings import Settings

POLL_S = 0.2
_LISTEN = "0A"


def ports_of(settings: Settings) -> list[int]:
    """The ports on which the server's daemons listen."""
    ports = (settings.http_port, settings.https_port, settings.ssh_port)
    return [port for port in ports if port]


def reserve_ports(settings: Settings) -> None:
    """Keep our ports out of the range of outgoing connections; returns a warning if that fails."""
    daemons = ((port, port) for port in ports_of(settings))
    wanted: list[Range] = [*daemons, settings.ports, settings.service_ports]
    wanted += settings.public_ports
    exposed = reserved_ports.exposed(wanted)
    if not exposed:
        return
    record = settings.paths.reserved_ports
    former = reserved_ports.parse(record.read_text()) if record.exists() else []
    try:
        write_atomic(record, reserved_ports.words([*former, *exposed]), durable=False)
        reserved_ports.reserve(exposed)
    except (OSError, PaasError) as error:
        print(
            f"Ports {reserved_ports.words(exposed)} may be taken by outgoing connections: they "
            f"cannot be reserved ({error}).",
            flush=True,
        )


def release_ports(settings: Settings) -> None:
    """Undo that."""
    record = settings.paths.reserved_ports
    with suppress(OSError, ValueError):
        reserved_ports.release(reserved_ports.parse(record.read_text()))
        record.unlink()


def wait_until_free(port: int, limit_s: float) -> None:
    """Return when a daemon can listen on the port, on all addresses.

    Raises PaasError, naming the process that has the port, if that takes too long.
    """
    deadline = time.monotonic() + limit_s
    while (address := taken_address(port)) is not None:
        if time.monotonic() > deadline:
            raise PaasError(
                "port-in-use", f"Port {port} is not free on {address}: {port_holder(port)}."
            )
        time.sleep(POLL_S)


def unreachable_ports(settings: Settings) -> list[str]:
    """A sentence for each port that does not take connections on all addresses."""
    return [
        f"Port {port} takes no connections on {' and '.join(addresses)}: {port_holder(port)}."
        for port in ports_of(settings)
        if (addresses := unreachable_addresses(port))
    ]


def port_holder(port: int) -> str:
    """What keeps sshd or nginx from using a port, in words."""
    import psutil

    ours = ("sshd", "nginx")
    own = {p.pid for p in psutil.process_iter(["name"]) if (p.info["name"] or "").startswith(ours)}
    return other_holder(port, own) or "a connection that is closing, or none that can be seen"


def listens_everywhere(port: int) -> bool:
    """Whether something listens on the port on every address of each family (proc(5), net)."""
    return _listens("tcp", port) and (not has_ipv6() or _listens("tcp6", port))


def end_unreachable_sshd(settings: Settings) -> bool:
    """End an embedded server's sshd that does not listen on every address; its sessions continue.

    supervisord restarts it. False if there is nothing to end.
    """
    if listens_everywhere(settings.ssh_port):
        return False
    try:
        pid = int(settings.paths.sshd_pid.read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False
    if str(settings.paths.sshd_config).encode() not in words:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    return True


def _listens(table: str, port: int) -> bool:
    for line in Path("/proc/net", table).read_text().splitlines()[1:]:
        fields = line.split()
        address, _, number = fields[1].rpartition(":")
        if fields[3] == _LISTEN and int(number, 16) == port and not address.strip("0"):
            return True
    return False
