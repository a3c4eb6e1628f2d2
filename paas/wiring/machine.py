"""Single adapters, for entry points that start, stop, install or look at the server itself."""

import os
import sys

from paas.adapters.docker.build_bridge import remove_bridges
from paas.adapters.docker.build_cgroup import remove_left_cgroups
from paas.adapters.network.app_network_trial import app_networks_fault
from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.network.firewall import NftFirewall
from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.nginx.process import NginxProcess
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.adapters.runtime.docker.ending import end_all
from paas.adapters.runtime.native import syscall_filter
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.runs import NativeRuns
from paas.adapters.system.clock import SystemClock
from paas.domain.people.origins import Origin, login_name
from paas.services.audit.by_root import RootRecord
from paas.settings import Settings
from paas.store.recovery import DatabaseRecovery
from paas.store.server_keys import ServerKeys
from paas.wiring.common import audit_files


def app_networks(settings: Settings) -> AppNetworks:
    """The network namespaces of its apps."""
    return AppNetworks(settings)


def app_networks_state(settings: Settings) -> str | None:
    """Why apps have no networks of their own, or what is wrong with them; None if all is well."""
    return AppNetworks(settings).lack() or app_networks_fault(settings)


def cgroups(settings: Settings) -> Cgroups:
    """The server's control groups."""
    return Cgroups(settings)


def end_containers(settings: Settings) -> None:
    """End the containers of all apps, if the server has Docker."""
    end_all(settings)


def close_bridges(settings: Settings) -> None:
    """Delete the networks and cgroups of containers and builds; a start creates them again."""
    if settings.docker:
        remove_bridges(settings)
        remove_left_cgroups(settings)


def firewall(settings: Settings) -> NftFirewall:
    """Its rules."""
    return NftFirewall(settings)


def haproxy(settings: Settings) -> HaproxyProxy:
    """HAProxy, whether or not it is the proxy."""
    return HaproxyProxy(settings)


def nginx(settings: Settings) -> NginxProxy:
    """Nginx as the proxy: its files."""
    return NginxProxy(settings)


def nginx_process(settings: Settings, reload_limit_s: float | None = None) -> NginxProcess:
    """Nginx as a process. reload_limit_s: None for the limit of its workers."""
    limit_s = settings.worker_limit_s if reload_limit_s is None else reload_limit_s
    return NginxProcess(settings.nginx_conf, settings.nginx_pid, limit_s)


def one_off_processes(settings: Settings) -> NativeRuns:
    """Those of all apps."""
    return NativeRuns(settings, Cgroups(settings), SystemClock())


def system_call_filter_lack() -> str | None:
    """What this machine lacks to filter the system calls of apps, as a sentence."""
    return syscall_filter.lack()


def store_recovery(settings: Settings) -> DatabaseRecovery:
    """The store, seen from outside, and its copies."""
    return DatabaseRecovery(settings.paths.database, ServerKeys(settings.paths.server_key))


def root_record(settings: Settings) -> RootRecord:
    """What records commands of root that do without the gate."""
    return RootRecord(
        trail=audit_files(settings),
        clock=SystemClock(),
        origin=Origin(login=login_name(os.environ.get("SUDO_USER"))),
        warn=lambda text: print(f" !     {text}", file=sys.stderr),
    )
