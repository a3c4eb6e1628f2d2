"""The order of the test files, and which of them run in the same process.

A file runs in one of several processes, which take the next one when they have ended one. The
longest begin first, so that no core idles beside the last; and those that mostly wait are spread
over the whole run, so that others use the processor meanwhile.
"""

from collections.abc import Iterable, Sequence

from xdist.scheduler import LoadScopeScheduling

# The seconds of the longest files, measured in a whole run on two cores.
SECONDS = {
    "e2e/test_install": 262,
    "contract/datastores/test_archives": 216,
    "e2e/test_app_networks": 195,
    "e2e/test_disaster": 192,
    "e2e/test_store": 135,
    "e2e/test_real_inputs": 131,
    "e2e/test_datastores": 125,
    "e2e/test_crashes": 122,
    "e2e/test_doctor": 103,
    "contract/builds/test_builder": 102,
    "e2e/test_zero_downtime": 101,
    "contract/datastores/test_redis_dumps": 99,
    "contract/proxy/test_trailers": 97,
    "contract/proxy/test_hostile_visitors": 96,
    "e2e/test_commands": 96,
    "e2e/test_failures": 93,
    "e2e/test_upgrade": 93,
    "e2e/test_pushes": 84,
    "contract/runtime/test_native": 77,
    "e2e/test_app_json": 76,
    "contract/datastores/test_followers": 75,
    "e2e/test_python_servers": 75,
    "contract/datastores/test_mysql_dumps": 74,
    "e2e/test_workers": 74,
    "e2e/test_heroku_cli": 73,
    "e2e/test_secrets": 71,
    "contract/network/test_firewall": 68,
    "contract/proxy/test_reload": 64,
    "e2e/test_containers": 64,
    "e2e/test_hostile_routing": 61,
    "e2e/test_https": 60,
    "e2e/test_dockerfile": 59,
    "e2e/test_buildpacks": 59,
    "contract/git/test_push": 57,
    "e2e/test_mysql": 55,
    "e2e/test_deploy": 55,
    "e2e/test_backups": 55,
    "contract/datastores/test_postgresql_dumps": 54,
    "e2e/test_releases": 53,
    "e2e/test_login_rotation": 52,
    "contract/docker/test_slug_images": 50,
    "e2e/test_resources": 49,
    "e2e/test_domain_proofs": 49,
    "unit/people/test_permissions": 48,
    "hostile/test_builds": 47,
    "e2e/test_audit": 46,
    "hostile/test_fork_bombs": 45,
    "contract/gate/test_gate_restarts": 45,
    "e2e/test_full_disk_in_a_push": 45,
    "e2e/test_python_tools": 44,
    "e2e/test_tokens": 44,
    "e2e/test_heroku_streams": 44,
    "e2e/test_haproxy": 43,
    "e2e/test_redis": 42,
    "contract/runtime/test_runs": 42,
    "e2e/test_run": 40,
    "e2e/test_limits": 40,
    "contract/datastores/test_postgresql_upgrade": 40,
    "e2e/test_run_terminal": 39,
    "e2e/test_node": 39,
    "e2e/test_app_logs": 38,
    "e2e/test_sharing": 37,
    "contract/backups/test_objects": 36,
    "e2e/test_git_sources": 34,
    "contract/git/test_push_progress": 33,
    "hostile/test_leaks": 32,
    "contract/builds/test_buildpack_api": 32,
    "contract/docker/test_containers": 31,
    "e2e/test_push_progress": 31,
    "e2e/test_ssh": 31,
    "hostile/test_rationing": 30,
    "e2e/test_builds": 30,
    "contract/certificates/test_acme": 29,
    "e2e/test_followers": 29,
    "e2e/test_processes": 29,
    "contract/runtime/test_resource_limits": 25,
    "e2e/test_pooling": 24,
    "contract/runtime/test_runtime": 24,
    "contract/proxy/test_router_settings": 23,
    "e2e/test_resource_limits": 22,
    "e2e/test_datastores_full_disk": 22,
    "contract/datastores/test_postgresql": 22,
    "e2e/test_upkeep": 21,
    "e2e/test_laptop": 21,
    "contract/proxy/test_switch": 21,
    "contract/docker/test_bridges": 21,
    "unit/store/test_seals": 21,
    "e2e/test_explained_ends": 21,
    "contract/datastores/test_mysql": 21,
    "unit/buildpacks/test_python": 20,
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
