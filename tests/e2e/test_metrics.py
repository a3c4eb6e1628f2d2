"""What the server measures of an app that gets requests."""

import json

from tests.e2e.probe import App
from tests.waiting import wait_for


def test_requests_and_load_of_an_app_are_measured(probe: App) -> None:
    """By the platform's own processes, within two turns of the collector."""

    def shown() -> dict[str, list[float]]:
        found = json.loads(probe.paas("metrics", "--json"))
        return {
            "requests": [one for one in found["requests"]["2xx"] if one],
            "memory": [one for one in found["memory"] if one],
            "cpu": [one for one in found["processes"].get("web.1", {}).get("cpu", []) if one],
            "p99": [one for one in found["latency"]["p99"] if one is not None],
        }

    def measured() -> bool:
        assert probe.boot()
        return all(shown().values())

    wait_for(measured, limit_s=400, what="two turns, one each minute")
    assert min(shown()["memory"]) > 1024**2
    picture = probe.paas("metrics")
    assert all(word in picture for word in ("CPU", "Memory", "Requests", "p99", "Restarts"))
