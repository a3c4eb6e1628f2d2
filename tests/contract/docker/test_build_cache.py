"""BuildKit's cache on the real engine: what builds leave, and what of it goes."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

from paas.adapters.docker.build_cache import BuildCache
from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.engine_state import engine_state
from paas.domain.builds.cache_records import Span
from paas.settings import Settings
from tests.contract.docker.workshop import Workshop
from tests.docker_engine import BASE

# Two steps, of which the first stays the same; 200 kB of files that each build has anew.
DOCKERFILE = f"FROM {BASE}\nRUN echo same > /same\nCOPY . /app/\n"
FILES = "head -c 200000 /dev/urandom > file"


def test_what_no_kept_build_used_goes(workshop: Workshop) -> None:
    """The steps of former builds, with their files; the last one's are used by the next."""
    cache = BuildCache(workshop.settings)
    cache.keep([])
    spans: list[Span] = []

    def build() -> None:
        begin = datetime.now(UTC)
        workshop.build(DOCKERFILE, first=FILES)
        spans.append(Span(begin, datetime.now(UTC)))

    for _ in range(2):
        build()
        cache.keep(spans[-1:])
    one = records(workshop.settings)
    assert "-----> [2/3] RUN echo same > /same (cached)" in workshop.lines
    for _ in range(2):
        build()
        cache.keep(spans[-1:])
    assert len(records(workshop.settings)) == len(one)
    assert cache.keep([]) > 200_000
    assert records(workshop.settings) == []


def test_the_limit_of_its_size(workshop: Workshop) -> None:
    """What is beyond it goes, whenever it was used last."""
    begin = datetime.now(UTC)
    workshop.build(DOCKERFILE, first=FILES)
    small = replace(workshop.settings, docker_cache_mib=0)
    BuildCache(small).keep([Span(begin, datetime.now(UTC))])
    assert records(workshop.settings) == []


def test_what_the_engine_says_of_itself(workshop: Workshop) -> None:
    """Its version, and what is on the disk."""
    workshop.settings.paths.registry.mkdir()
    (workshop.settings.paths.registry / "layer").write_bytes(bytes(100_000))
    state = engine_state(workshop.settings)
    shutil.rmtree(workshop.settings.paths.registry)
    assert 100_000 < state.registry_bytes < 200_000
    assert state.version[0].isdigit()
    assert state.images_bytes > 1_000_000
    assert state.total_bytes >= state.images_bytes + state.cache_bytes


def records(settings: Settings) -> list[dict[str, object]]:
    """What is in the cache."""
    with docker_client(settings) as client:
        return list(client.api.df()["BuildCache"] or ())
