"""The order of the test files, and which of them run in the same process.

A file runs in one of several processes, which take the next one when they have ended one. The
longest begin first, so that no core idles beside the last; and those that mostly wait are spread
over the whole run, so that others use the processor meanwhile.
"""

from collections.abc import Iterable, Sequence

from xdist.scheduler import LoadScopeScheduling

# The seconds of the longest files, measured in a whole run on two cores.
SECONDS = {
    "e2e/test_disaster": 297,
    "contract/datastores/test_archives": 267,
    "e2e/test_install": 261,
    "e2e/test_app_networks": 210,
    "e2e/test_https": 179,
    "e2e/test_crashes": 163,
    "e2e/test_datastores": 161,
    "e2e/test_failures": 146,
    "contract/builds/test_builder": 136,
    "e2e/test_store": 130,
    "contract/proxy/test_trailers": 116,
    "e2e/test_commands": 115,
    "contract/proxy/test_reload": 112,
    "e2e/test_heroku_cli": 112,
    "contract/datastores/test_mysql_dumps": 108,
    "e2e/test_real_inputs": 101,
    "e2e/test_secrets": 96,
    "e2e/test_app_json": 95,
    "contract/datastores/test_followers": 94,
    "contract/datastores/test_postgresql_dumps": 89,
    "contract/proxy/test_hostile_visitors": 85,
    "contract/runtime/test_native": 84,
    "e2e/test_pushes": 84,
    "e2e/test_mysql": 78,
    "e2e/test_containers": 77,
    "e2e/test_dockerfile": 75,
    "e2e/test_python_servers": 72,
    "e2e/test_upgrade": 71,
    "contract/git/test_push": 68,
    "e2e/test_doctor": 68,
    "contract/docker/test_slug_images": 67,
    "e2e/test_deploy": 66,
    "e2e/test_hostile_routing": 66,
    "unit/store/test_seals": 64,
    "contract/datastores/test_postgresql_upgrade": 63,
    "e2e/test_backups": 62,
    "e2e/test_domain_proofs": 62,
    "contract/network/test_firewall": 61,
    "contract/backups/test_objects": 57,
    "e2e/test_haproxy": 53,
    "e2e/test_heroku_streams": 53,
    "e2e/test_audit": 52,
    "e2e/test_full_disk_in_a_push": 52,
    "e2e/test_login_rotation": 52,
    "hostile/test_builds": 52,
    "contract/certificates/test_acme": 49,
    "contract/runtime/test_runs": 49,
    "e2e/test_resources": 49,
    "contract/builds/test_buildpack_api": 48,
    "unit/people/test_permissions": 48,
    "e2e/test_releases": 47,
    "hostile/test_fork_bombs": 47,
    "contract/proxy/test_proxy": 44,
    "e2e/test_ssh": 44,
    "e2e/test_tokens": 44,
    "contract/builds/test_dependencies": 43,
    "e2e/test_git_sources": 43,
    "e2e/test_zero_downtime": 43,
    "e2e/test_sharing": 42,
    "e2e/test_redis": 41,
    "contract/gate/test_gate_restarts": 40,
    "e2e/test_run": 39,
    "contract/proxy/test_router_settings": 38,
    "e2e/test_buildpacks": 38,
    "e2e/test_python_tools": 37,
    "unit/buildpacks/test_python": 37,
    "contract/docker/test_containers": 36,
    "e2e/test_builds": 36,
    "e2e/test_followers": 36,
    "e2e/test_workers": 36,
    "contract/datastores/test_redis": 35,
    "contract/runtime/test_resource_limits": 33,
    "e2e/test_flask_migrate": 33,
    "e2e/test_run_terminal": 33,
    "e2e/test_push_progress": 32,
    "contract/docker/test_bridges": 31,
    "e2e/test_git_over_http": 31,
    "contract/docker/test_builder": 30,
    "contract/proxy/test_tls": 30,
    "e2e/test_datastores_full_disk": 30,
    "e2e/test_processes": 30,
    "unit/project/test_architecture": 30,
    "contract/proxy/test_switch": 29,
    "e2e/test_limits": 29,
    "contract/git/test_push_progress": 28,
    "contract/datastores/test_mysql": 27,
    "unit/audit/test_every_command": 27,
    "e2e/test_domains": 26,
    "e2e/test_full_disk": 26,
    "e2e/test_node": 26,
    "unit/web/test_dashboard_login": 26,
    "contract/runtime/test_runtime": 25,
    "e2e/test_explained_ends": 25,
    "e2e/test_resource_limits": 25,
    "contract/datastores/test_postgresql": 24,
    "contract/network/test_connection_limit": 24,
    "contract/proxy/test_error_pages": 24,
    "e2e/test_laptop": 24,
    "e2e/test_pooling": 24,
    "unit/project/test_docs": 24,
    "hostile/test_floods": 23,
    "unit/buildpacks/test_node": 23,
    "contract/proxy/test_haproxy": 22,
    "contract/proxy/test_hostile_http2": 21,
    "e2e/test_upkeep": 21,
    "unit/laptop/test_laptop": 21,
    "contract/builds/test_sync": 20,
}
OTHERS_S = 3.0
# What mostly waits: for connections, limits and the programs behind them.
WAITING = (
    "contract/certificates/",
    "contract/docker/",
    "contract/gate/",
    "contract/git/",
    "contract/logs/",
    "contract/network/",
    "contract/proxy/",
    "contract/runtime/",
)
# Each of these uses a server that others do not use: one process makes it.
TOGETHER = {
    "certificates": ("contract/certificates/",),
    "docker": (
        "contract/docker/",
        "contract/runtime/test_commands.py",
        "contract/runtime/test_resource_limits.py",
        "contract/runtime/test_runs.py",
        "contract/runtime/test_runtime.py",
        "contract/runtime/test_workloads.py",
    ),
    "hostile": ("hostile/",),
    "strict": (
        "e2e/test_app_json.py",
        "e2e/test_drains.py",
        "e2e/test_failures.py",
        "e2e/test_limits.py",
        "e2e/test_pushes.py",
        "e2e/test_releases.py",
        "e2e/test_run.py",
    ),
}


class InOrder(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out units of files in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid.partition("::")[0])


def unit_of(path: str) -> str:
    """What a file, as below the checkout, runs together with."""
    below = path.removeprefix("tests/")
    for unit, starts in TOGETHER.items():
        if below.startswith(starts):
            return unit
    return path


def ordered(paths: Iterable[str]) -> list[str]:
    """These files in the order in which they should begin."""
    units: dict[str, list[str]] = {}
    for path in paths:
        units.setdefault(unit_of(path), []).append(path)
    waiting = [unit for unit, files in units.items() if _waits(files[0])]
    busy = [unit for unit in units if unit not in {*waiting}]
    places = {**_places(waiting, units), **_places(busy, units)}
    return [path for unit in sorted(places, key=places.__getitem__) for path in units[unit]]


def _places(names: Sequence[str], units: dict[str, list[str]]) -> dict[str, float]:
    """Where each begins, from 0 to 1, if they run one after the other, the longest first."""
    lengths = {name: sum(map(_seconds, units[name])) for name in names}
    total, begun, found = sum(lengths.values()), 0.0, {}
    for name in sorted(names, key=lambda name: -lengths[name]):
        found[name] = begun / total
        begun += lengths[name]
    return found


def _seconds(path: str) -> float:
    return SECONDS.get(path.removeprefix("tests/").removesuffix(".py"), OTHERS_S)


def _waits(path: str) -> bool:
    return path.removeprefix("tests/").startswith(WAITING)
