"""The order of the test files, and which of them run in the same process.

A file runs in one of several processes, which take the next one when they have ended one. The
longest begin first, so that no core idles beside the last; and those that mostly wait are spread
over the whole run, so that others use the processor meanwhile.
"""

from collections.abc import Iterable, Sequence

from xdist.scheduler import LoadScopeScheduling

# The seconds of the longest files, measured in a whole run on two cores.
SECONDS = {
    "contract/datastores/test_archives": 256,
    "e2e/test_install": 218,
    "e2e/test_app_networks": 175,
    "e2e/test_disaster": 135,
    "e2e/test_datastores": 134,
    "e2e/test_crashes": 133,
    "e2e/test_real_inputs": 123,
    "e2e/test_failures": 116,
    "e2e/test_heroku_cli": 100,
    "contract/proxy/test_trailers": 96,
    "contract/builds/test_builder": 95,
    "e2e/test_app_json": 91,
    "e2e/test_https": 88,
    "contract/datastores/test_followers": 84,
    "e2e/test_commands": 80,
    "e2e/test_store": 80,
    "contract/datastores/test_mysql_dumps": 77,
    "contract/proxy/test_hostile_visitors": 74,
    "contract/proxy/test_reload": 74,
    "e2e/test_dockerfile": 74,
    "contract/runtime/test_native": 73,
    "e2e/test_containers": 69,
    "contract/datastores/test_postgresql_dumps": 68,
    "e2e/test_secrets": 68,
    "e2e/test_pushes": 63,
    "contract/git/test_push": 61,
    "e2e/test_deploy": 61,
    "e2e/test_python_servers": 59,
    "contract/network/test_firewall": 58,
    "e2e/test_domain_proofs": 58,
    "e2e/test_backups": 55,
    "contract/datastores/test_postgresql_upgrade": 53,
    "e2e/test_hostile_routing": 53,
    "e2e/test_mysql": 53,
    "contract/docker/test_slug_images": 52,
    "e2e/test_login_rotation": 52,
    "hostile/test_builds": 51,
    "e2e/test_doctor": 50,
    "e2e/test_heroku_streams": 48,
    "e2e/test_haproxy": 47,
    "e2e/test_tokens": 45,
    "e2e/test_resources": 44,
    "contract/certificates/test_acme": 43,
    "contract/gate/test_gate_restarts": 43,
    "contract/backups/test_objects": 41,
    "contract/runtime/test_runs": 41,
    "e2e/test_buildpacks": 40,
    "e2e/test_python_tools": 40,
    "e2e/test_releases": 40,
    "e2e/test_audit": 39,
    "e2e/test_sharing": 39,
    "e2e/test_upgrade": 39,
    "e2e/test_redis": 38,
    "contract/builds/test_buildpack_api": 37,
    "e2e/test_run_terminal": 37,
    "e2e/test_git_sources": 36,
    "e2e/test_workers": 36,
    "unit/people/test_permissions": 36,
    "contract/docker/test_containers": 35,
    "e2e/test_full_disk_in_a_push": 35,
    "e2e/test_ssh": 35,
    "hostile/test_fork_bombs": 35,
    "e2e/test_flask_migrate": 34,
    "e2e/test_builds": 33,
    "e2e/test_push_progress": 32,
    "e2e/test_run": 32,
    "e2e/test_followers": 31,
    "e2e/test_processes": 31,
    "contract/proxy/test_router_settings": 30,
    "e2e/test_node": 30,
    "contract/docker/test_bridges": 29,
    "contract/datastores/test_mysql": 28,
    "contract/git/test_push_progress": 28,
    "e2e/test_datastores_full_disk": 28,
    "contract/proxy/test_switch": 27,
    "contract/runtime/test_resource_limits": 27,
    "e2e/test_explained_ends": 27,
    "contract/proxy/test_proxy": 26,
    "unit/buildpacks/test_python": 26,
    "unit/web/test_dashboard_pages": 26,
    "contract/docker/test_builder": 25,
    "e2e/test_limits": 25,
    "unit/web/test_routes": 25,
    "contract/datastores/test_postgresql": 24,
    "unit/web/test_dashboard_login": 24,
    "contract/datastores/test_redis": 23,
    "e2e/test_full_disk": 23,
    "e2e/test_pooling": 23,
    "contract/proxy/test_error_pages": 22,
    "unit/buildpacks/test_node": 22,
    "e2e/test_laptop": 21,
    "hostile/test_floods": 21,
    "e2e/test_resource_limits": 20,
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
