"""Whether the apps of a new server get networks of their own: if packets pass as they should.

A server that is upgraded keeps what it has. So does an embedded server, which changes nothing for
others on its machine, such as whether it routes.
"""

import sys
from dataclasses import replace
from typing import Any

import yaml

from paas.adapters.network.app_network_trial import app_networks_fault
from paas.adapters.server import daemons
from paas.adapters.system import files
from paas.entrypoints.installer.plan import Plan
from paas.settings import Settings
from paas.wiring import machine


def app_network_options(plan: Plan, settings: Settings) -> dict[str, Any]:
    """The setting of a new server, by its name; empty if server.yml has it.

    The firewall's rules are loaded for the test. If the machine cannot have networks, the reason is
    printed and kept for server:status.
    """
    if plan.embedded or "app_networks" in (yaml.safe_load(plan.paths.server_yml.read_text()) or {}):
        return {}
    why = _lack(replace(settings, app_networks=True))
    if why is not None:
        files.write_atomic(settings.paths.app_networks_lack, why, mode=0o644)
        print(f" !     Apps share the machine's network: {why}", file=sys.stderr)
        print(
            " !     Once the machine has what is missing, set app_networks: true in "
            f"{plan.paths.server_yml}.",
            file=sys.stderr,
        )
    return {"app_networks": why is None}


def _lack(settings: Settings) -> str | None:
    """Why apps can have no networks here, in a sentence; nothing of the try is left then."""
    networks = machine.app_networks(settings)
    networks.prepare()
    if (why := networks.lack()) is not None:
        return why
    daemons.apply_firewall(settings)
    fault = app_networks_fault(settings)
    if fault is None:
        return None
    networks.close()
    daemons.remove_firewall(settings)
    return f"{fault[:1].upper()}{fault[1:]}."
