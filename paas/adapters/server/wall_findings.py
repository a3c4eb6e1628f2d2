"""What is wrong with the walls between apps: firewall, networks and cgroups."""

import time
from collections.abc import Iterator, Sequence

from paas.adapters.datastores.client_file import present_clients
from paas.adapters.network.app_network_trial import app_networks_fault
from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.network.firewall_trial import firewall_fault
from paas.adapters.network.port_claims import present_claims
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.server.findings import FIX, Finding, mendable
from paas.settings import Settings

# From the end of a claim to that of the launch spec, with time to spare.
STOP_S = 1.0


def firewall_findings(settings: Settings) -> Iterator[Finding]:
    """Rules that are not loaded, claim no port for an instance, or let the wrong apps in."""
    if (why := firewall_fault(settings)) is not None:
        yield mendable("firewall", why if why.endswith(".") else f"The firewall: {why}.")
        return
    firewall = NftFirewall(settings)
    lost = _unclaimed(settings, firewall)
    if lost:
        ports = ", ".join(str(port) for port, _ in lost[:5])
        words = f"{len(lost)} ports of instances are claimed for no app ({ports})"
        yield mendable("firewall", f"{words}: another app could answer there.")
    yield from _datastore_clients(settings, firewall)
    if (limit := firewall.limit_state()).fault is not None:
        words = f"The connections of one address are not limited: {limit.fault}."
        yield Finding(
            check="firewall",
            message=words,
            command=FIX if limit.mends else "modinfo nft_connlimit nfnetlink_cttimeout",
            grave=limit.mends,
            mends=limit.mends,
        )


def _datastore_clients(settings: Settings, firewall: NftFirewall) -> Iterator[Finding]:
    """Apps that the firewall keeps from their datastores, or lets to those of others."""
    differ = _client_differences(settings, firewall)
    if differ:
        time.sleep(STOP_S)  # a command may be between the file and the rules
        differ &= _client_differences(settings, firewall)
    if not differ:
        return
    ports = ", ".join(str(port) for port, _ in sorted(differ)[:5])
    yield mendable(
        "firewall",
        f"The firewall's rules for datastores are wrong (ports {ports}): apps cannot reach their "
        "own datastores, or can reach others.",
    )


def _client_differences(settings: Settings, firewall: NftFirewall) -> set[tuple[int, int]]:
    """Port and uid of those who are let and may not, or the other way round."""
    wanted = {(one.port, one.uid) for one in present_clients(settings)}
    return wanted ^ firewall.clients()


def network_findings(settings: Settings) -> Iterator[Finding]:
    """Apps without networks of their own, or with others than server.yml has."""
    if not settings.app_networks:
        if (why := AppNetworks(settings).lack_at_installation()) is not None:
            yield Finding(
                check="networks",
                message="Apps share the machine's network, so its services are open to them. "
                f"What the installation found: {why}",
                command="Once that is settled, set app_networks: true in server.yml, then "
                "paas server:stop && paas server:start. To accept it, remove "
                f"{settings.paths.app_networks_lack}.",
                grave=False,
            )
        return
    networks, wanted = AppNetworks(settings), settings.host_ports
    if (why := networks.lack()) is not None:
        words = f"Apps share the machine's network, though app_networks is on. {why}"
    elif sorted(networks.opened()) != sorted(wanted):
        words = (
            f"Apps reach {_ports(networks.opened())} of this machine, but host_ports of "
            f"server.yml has {_ports(wanted)}."
        )
    elif (why := app_networks_fault(settings)) is not None:
        words = f"The networks of apps do not work: {why}."
    else:
        return
    yield mendable("networks", words)


def cgroup_findings(settings: Settings) -> Iterator[Finding]:
    """Limits that the kernel does not have, or has no more."""
    cgroups = Cgroups(settings)
    for name in cgroups.missing():
        yield Finding(
            check="cgroup",
            message=f"The server has no cgroup for {name}: no app's use of it is limited. If "
            f"/proc/cgroups has {name}, the next start of the server finds it.",
            command="cat /proc/cgroups; ls /sys/fs/cgroup",
            grave=False,
        )
    for hierarchy in cgroups.hierarchies():
        if not hierarchy.path.is_dir():
            yield Finding(
                check="cgroup",
                message=f"{hierarchy.path} is gone: instances start without their limits.",
                command="paas server:stop && paas server:start",
            )


def _unclaimed(settings: Settings, firewall: NftFirewall) -> list[tuple[int, int]]:
    """Port and uid of instances that the firewall does not know.

    An instance that is stopped loses its claim shortly before its launch spec is deleted: only
    what is missing twice is missing.
    """
    lost = firewall.unclaimed(present_claims(settings))
    if not lost:
        return []
    time.sleep(STOP_S)
    present = {*present_claims(settings)}
    return firewall.unclaimed([claim for claim in lost if claim in present])


def _ports(ports: Sequence[int]) -> str:
    """``ports 80 and 443`` for a sentence."""
    if not ports:
        return "no port"
    *others, last = map(str, sorted(ports))
    return f"ports {', '.join(others)} and {last}" if others else f"port {last}"
