"""What a node's Docker must be set to: its /etc/docker/daemon.json, of which the rest stays.

It says what services of API 1.41 cannot ask for, and what the rules for nodes rely on.
"""

import json
from collections.abc import Mapping

from paas.domain.values.errors import PaasError

PATH = "/etc/docker/daemon.json"
_WANTED: Mapping[str, object] = {
    "no-new-privileges": True,
    # Swarm refuses it.
    "live-restore": False,
    # No root process of the machine passes requests on.
    "userland-proxy": False,
    # What passes between two containers goes through the rules, as all else does.
    "icc": False,
    # No container sees the names of others' cgroups.
    "default-cgroupns-mode": "private",
    "log-driver": "local",
    "log-opts": {"max-size": "10m", "max-file": "2"},
}
# What the rules and the images for nodes rely on, where the file says anything of it.
_LEFT: Mapping[str, object] = {
    "bridge": "docker0",
    "iptables": True,
    "ip": "0.0.0.0",
    "ip-masq": True,
    "ip-forward": True,
    "userns-remap": "",
    "seccomp-profile": "",
}


def conflicts(text: str) -> list[str]:
    """What a file says that a node must not have, as clauses. text: empty if there is none."""
    try:
        present = _parsed(text)
    except ValueError as error:
        return [f"its {PATH} cannot be read: {error}"]
    wanted = {**_LEFT, **_WANTED}
    return [
        f"its {PATH} has {key}: {json.dumps(present[key])}, a node needs {json.dumps(wanted[key])}"
        for key in wanted
        if key in present and present[key] != wanted[key]
    ]


def lacks(text: str) -> list[str]:
    """The settings that a file does not have, but must."""
    try:
        present = _parsed(text)
    except ValueError:
        return []
    return [key for key in _WANTED if key not in present]


def merged(text: str) -> str:
    """The file with what it lacks. Raises PaasError if it says otherwise."""
    if found := conflicts(text):
        raise PaasError("node-failed", f"The machine cannot be a node: {'; '.join(found)}.")
    if not lacks(text):
        return text
    return json.dumps({**_parsed(text), **_WANTED}, indent=2) + "\n"


def _parsed(text: str) -> dict[str, object]:
    """Raises ValueError."""
    match json.loads(text) if text.strip() else {}:
        case dict() as found:
            return found
    raise ValueError("it is no object")
