"""An app's instance as a workload of this machine."""

from collections.abc import Mapping

from paas.adapters.runtime.native.launch_specs import limits_of, storage_binds, tool_binds
from paas.domain.apps.apps import App
from paas.domain.apps.environment import instance_environment, shell_argv
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.releases import Instance
from paas.domain.routing.app_networks import AppAddresses, AppNetwork
from paas.domain.routing.endpoints import LOOPBACK
from paas.domain.runtime.workloads import Workload
from paas.domain.values.secret import Secret
from paas.settings import Settings


def instance_workload(
    settings: Settings,
    app: App,
    instance: Instance,
    *,
    artifact: Artifact,
    config: Mapping[str, Secret],
    command: str,
) -> Workload:
    """An instance that runs a command of the Procfile in the slug."""
    network = AppNetwork(app.uid) if instance.address != LOOPBACK else None
    limits = limits_of(settings, app, instance.kind)
    gateway = str(AppAddresses(settings.app_addresses).gateway) if network else None
    return Workload(
        group=instance.group,
        label=instance.label,
        uid=app.uid,
        argv=shell_argv(command),
        env=instance_environment(config, instance.label, instance.port, limits.memory_mib, gateway),
        binds=(*tool_binds(settings), *storage_binds(settings, app)),
        limits=limits,
        ports=(instance.port,) if instance.port is not None else (),
        artifact=artifact,
        app_id=app.id,
        network=network,
        user_namespaces=app.user_namespaces,
    )
