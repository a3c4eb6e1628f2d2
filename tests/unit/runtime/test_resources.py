"""Resource limits: how they are typed, and which of them apply."""

import pytest

from paas.domain.runtime.resources import (
    Resource,
    ServerLimits,
    SetLimit,
    amount_words,
    changed,
    parse_limit,
    parse_size,
    type_of_command,
)
from paas.domain.runtime.workloads import Limits
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType

WEB, WORKER, RUN = ProcessType("web"), ProcessType("worker"), ProcessType("run")
DEFAULTS = Limits(memory_mib=1_024, processes=100, open_files=1_000, scratch_mib=256, cpu_milli=0)
CEILINGS = Limits(
    memory_mib=2_048, processes=100, open_files=1_000, scratch_mib=128, cpu_milli=4_000
)
SERVER = ServerLimits(DEFAULTS, CEILINGS)


@pytest.mark.parametrize(
    ("word", "resource", "amount"),
    [
        ("memory=512m", Resource.MEMORY, 512),
        ("memory=512", Resource.MEMORY, 512),
        ("memory=512MiB", Resource.MEMORY, 512),
        ("memory=2G", Resource.MEMORY, 2_048),
        ("memory=-", Resource.MEMORY, None),
        ("cpu=0.5", Resource.CPU, 500),
        ("cpu=0.05", Resource.CPU, 50),
        ("cpu=2", Resource.CPU, 2_000),
        ("pids=200", Resource.PIDS, 200),
        ("nofile=4096", Resource.NOFILE, 4_096),
        ("scratch=1g", Resource.SCRATCH, 1_024),
    ],
)
def test_words(word: str, resource: Resource, amount: int | None) -> None:
    """Memory in MiB or GiB, cores with a fraction, the rest as numbers."""
    assert parse_limit(word) == (resource, amount)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("memory", "not of the form NAME=VALUE"),
        ("ram=1g", "one of memory, cpu, pids, nofile, scratch"),
        ("memory=", "a value such as 512m"),
        ("memory=0.5g", "a value such as 512m"),
        ("memory=1t", "a value such as 512m"),
        ("memory=-1", "a value such as 512m"),
        ("memory=512m\n", "a value such as 512m"),
        ("memory=" + "9" * 5_000, "a value such as 512m"),
        ("memory=\u0661g", "a value such as 512m"),
        ("memory=0", "nothing would start with less than 32m"),
        ("cpu=0", "nothing would start with less than 0.01"),
        ("cpu=.5", "a value such as 0.5"),
        ("cpu=1e3", "a value such as 0.5"),
        ("pids=1", "nothing would start with less than 8"),
        ("nofile=x", "a value such as 4096"),
    ],
)
def test_bad_words(word: str, told: str) -> None:
    """Each gets a message that names the mistake."""
    with pytest.raises(PaasError, match=told) as caught:
        parse_limit(word)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("resource", "amount", "words"),
    [
        (Resource.MEMORY, 512, "512m"),
        (Resource.MEMORY, 1_536, "1536m"),
        (Resource.SCRATCH, 2_048, "2g"),
        (Resource.CPU, 500, "0.5"),
        (Resource.CPU, 0, "none"),
        (Resource.PIDS, 200, "200"),
    ],
)
def test_amounts_in_words(resource: Resource, amount: int, words: str) -> None:
    """Shown as they are typed, so they can be typed again."""
    assert amount_words(resource, amount) == words
    assert not amount or parse_limit(f"{resource}={words}") == (resource, amount)


def test_sizes() -> None:
    """Heroku's names, in upper or lower case; anything else is refused with a list of them."""
    assert parse_size("web=standard-1x") == (WEB, 512)
    assert parse_size("worker=Performance-M") == (WORKER, 2_560)
    for word in ("web", "web=", "web=2x", "standard-1x"):
        with pytest.raises(PaasError, match="SIZE one of eco, basic, standard-1x"):
            parse_size(word)
    with pytest.raises(PaasError, match="process type"):
        parse_size("../x=eco")


def test_the_nearest_limit_holds() -> None:
    """The type's own, else the app's, else the server's; each resource separately."""
    wanted = (
        SetLimit(None, Resource.MEMORY, 512),
        SetLimit(None, Resource.CPU, 500),
        SetLimit(WEB, Resource.MEMORY, 768),
    )
    assert SERVER.of(WEB, ()) == DEFAULTS.__class__(1_024, 100, 1_000, 256, 4_000)
    web, worker = SERVER.of(WEB, wanted), SERVER.of(WORKER, wanted)
    assert (web.memory_mib, web.cpu_milli, web.processes) == (768, 500, 100)
    assert (worker.memory_mib, worker.cpu_milli, worker.scratch_mib) == (512, 500, 256)


def test_a_limit_that_is_no_longer_allowed_is_the_highest_that_is() -> None:
    """A ceiling also limits types without a limit; the server's default is always allowed."""
    wanted = (SetLimit(WEB, Resource.MEMORY, 9_999), SetLimit(WEB, Resource.SCRATCH, 9_999))
    found = SERVER.of(WEB, wanted)
    assert (found.memory_mib, found.scratch_mib, found.cpu_milli) == (2_048, 256, 4_000)
    free = ServerLimits(Limits(0, 10, 10, 1), Limits(0, 10, 10, 1))
    assert free.of(WEB, wanted).memory_mib == 9_999
    free.allow(Resource.MEMORY, 10**9)


def test_more_than_the_ceiling_is_refused() -> None:
    """With the name of the setting that an administrator would raise."""
    SERVER.allow(Resource.MEMORY, 2_048)
    SERVER.allow(Resource.SCRATCH, 256)
    for resource, amount, setting in (
        (Resource.MEMORY, 2_049, "max_memory_mib"),
        (Resource.CPU, 4_001, "max_cpu_cores"),
        (Resource.PIDS, 101, "max_processes"),
        (Resource.NOFILE, 1_001, "max_open_files"),
        (Resource.SCRATCH, 257, "max_scratch_mib"),
    ):
        with pytest.raises(PaasError, match=f"{resource}=") as caught:
            SERVER.allow(resource, amount)
        assert caught.value.reference == "resource-ceiling"
        assert setting in (caught.value.hint or "")


def test_changes_concern_one_type() -> None:
    """Limits that are not named stay; removed ones are gone; the order is always the same."""
    before = changed((), None, {Resource.MEMORY: 512, Resource.CPU: 500})
    after = changed(before, WEB, {Resource.MEMORY: 256})
    assert changed(before, WEB, {Resource.MEMORY: 128}) != after
    assert changed(after, WEB, {Resource.MEMORY: None}) == before
    assert changed(before, None, {Resource.CPU: None}) == (SetLimit(None, Resource.MEMORY, 512),)
    assert changed((), None, {Resource.CPU: 500, Resource.MEMORY: 512}) == before


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("run.2", "run"),
        ("cron.nightly", "cron"),
        ("release.1", "release"),
        ("predeploy.1", "release"),
        ("postdeploy.1", "release"),
    ],
)
def test_types_of_what_runs_once(name: str, kind: str) -> None:
    """The scripts of app.json belong to the release."""
    assert type_of_command(name) == kind
