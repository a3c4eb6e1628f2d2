"""What Prometheus reads."""

import re
from pathlib import Path

from paas.domain.metrics.figures import Load, Requests
from paas.entrypoints.web.prometheus import exposition
from tests.fakes.world import World
from tests.unit.web.api_world import Api

_SAMPLE = re.compile(r'[a-z_]+\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\} [0-9.e+-]+')


def test_the_totals_of_the_apps_that_a_token_may_see(tmp_path: Path) -> None:
    """Of others not even the names."""
    world = World(tmp_path)
    alice, bob = world.user("alice"), world.user("bob")
    for name, owner in (("shop", alice), ("blog", bob)):
        app, found = world.app(name, owner), Requests()
        for milliseconds in (3, 40, 60_000):
            found.count(200, milliseconds)
        with world.metrics_files.writing(app.id) as file:
            load = Load(1_500, 2_048, 2, 1)
            file.count(1_796_000_400, (0, 0), {1_796_000_390: found}, {"web.1": load}, load)
    api = Api(world)
    assert api.ask("GET", "/metrics", headers={"Authorization": ""}).status_code == 401
    answer = api.ask("GET", "/metrics", user="alice")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.get_data(as_text=True)
    assert "blog" not in text
    for line in (
        'paas_http_requests_total{app="shop",code="2xx"} 3',
        'paas_http_request_duration_seconds_bucket{app="shop",le="0.003"} 1',
        'paas_http_request_duration_seconds_bucket{app="shop",le="30"} 2',
        'paas_http_request_duration_seconds_bucket{app="shop",le="+Inf"} 3',
        'paas_http_request_duration_seconds_sum{app="shop"} 60.043',
        'paas_http_request_duration_seconds_count{app="shop"} 3',
        'paas_process_cpu_seconds_total{app="shop",process="web.1"} 1.5',
        'paas_process_memory_bytes{app="shop",process="web.1"} 2097152',
        'paas_process_restarts_total{app="shop",process="web.1"} 2',
        'paas_collected_timestamp_seconds{app="shop"} 1796000400',
    ):
        assert f"\n{line}\n" in f"\n{text}"
    for line in text.splitlines():
        assert line.startswith("# ") or _SAMPLE.fullmatch(line), line


def test_without_apps_there_are_families_only() -> None:
    """A scrape of a new server is valid."""
    assert all(line.startswith("# ") for line in exposition([]).splitlines())
