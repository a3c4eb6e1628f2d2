"""Settings and extensions: the same checks on the fake and on the real PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from paas.adapters.datastores.postgresql.tuning import PostgresqlTuning
from paas.domain.datastores.extensions import HARMLESS, Maker
from paas.domain.datastores.plans import SMALL
from paas.domain.datastores.postgresql_settings import SETTINGS
from paas.domain.values.errors import PaasError
from paas.interfaces import PostgresqlServers
from paas.settings import Settings
from tests.contract.datastores.serving import LIMIT_S
from tests.contract.datastores.test_postgresql import ONE, Running, query, real
from tests.fakes.postgresql import FakePostgresql

__all__ = ["real"]
# Of each setting, one that may be.
VALUES = {
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "default_statistics_target": "200",
    "idle_in_transaction_session_timeout": "5min",
    "jit": "off",
    "lock_timeout": "10s",
    "log_connections": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": "500ms",
    "log_statement": "ddl",
    "maintenance_work_mem": "64MB",
    "max_locks_per_transaction": "128",
    "max_parallel_workers_per_gather": "0",
    "random_page_cost": "1.1",
    "shared_buffers": "64MB",
    "statement_timeout": "30s",
    "track_functions": "all",
    "track_io_timing": "on",
    "work_mem": "8MB",
}
WITH_ALL = replace(
    ONE,
    settings={name: SETTINGS[name].read(text, SMALL) or "" for name, text in VALUES.items()},
)


@pytest.fixture
def tuning(real: Running) -> Iterator[PostgresqlTuning]:
    """Of that server, which has its defaults again afterwards."""
    assert real.root is not None
    yield PostgresqlTuning(Settings(state=real.root, run=real.root.parent / "run").paths)
    real.server.refresh(ONE)


@pytest.fixture(params=["fake", "real"])
def each(request: pytest.FixtureRequest) -> PostgresqlServers:
    """Each of them."""
    if request.param == "fake":
        return FakePostgresql()
    real_one: PostgresqlTuning = request.getfixturevalue("tuning")
    return real_one


def test_extensions_are_known_and_made(each: PostgresqlServers) -> None:
    """Whoever may make them; to make one again is no error."""
    known = {one.name: one for one in each.extensions(ONE)}
    assert known["hstore"].maker is Maker.APP
    assert known["pgrowlocks"].maker is Maker.PLATFORM
    assert known["file_fdw"].maker is Maker.NOBODY
    for name in ("hstore", "pgrowlocks"):
        each.make_extension(ONE, known[name])
        assert {one.name: one for one in each.extensions(ONE)}[name].installed


def test_settings_are_followed(real: Running, tuning: PostgresqlTuning) -> None:
    """Each that the server knows, at once, by new sessions of apps."""
    assert VALUES.keys() == SETTINGS.keys()
    real.server.refresh(WITH_ALL)
    tuning.reload(WITH_ALL)
    now = tuning.settings(ONE, SETTINGS)
    later = {name for name, setting in SETTINGS.items() if setting.restart}
    for name, text in VALUES.items():
        assert (now[name] == text) is (name not in later), name
    assert query(real, "SHOW statement_timeout") == "30s"
    waiting = query(real, "SELECT name FROM pg_settings WHERE pending_restart ORDER BY 1")
    assert waiting.split() == sorted(later)
    real.server.refresh(ONE)
    tuning.reload(ONE)
    assert tuning.settings(ONE, ["statement_timeout", "no_such"]) == {"statement_timeout": "0"}


def test_settings_that_need_a_restart(real: Running, tuning: PostgresqlTuning) -> None:
    """The server comes up with all that may be."""
    try:
        real.server.refresh(WITH_ALL)
        workload = real.server.workload(WITH_ALL)
        assert real.runtime.stop([workload], LIMIT_S) == set()
        real.runtime.start([workload])
        real.server.set_up(WITH_ALL, LIMIT_S)
        now = tuning.settings(ONE, SETTINGS)
        assert {name: now[name] for name in VALUES} == VALUES
    finally:
        real.server.refresh(ONE)
        real.runtime.stop([real.server.workload(ONE)], LIMIT_S)
        real.runtime.start([real.server.workload(ONE)])
        real.server.set_up(ONE, LIMIT_S)


def test_a_trusted_extension_is_the_app_s(real: Running, tuning: PostgresqlTuning) -> None:
    """It can be dropped; one of the platform's cannot."""
    known = {one.name: one for one in tuning.extensions(ONE)}
    for name in ("pg_trgm", "amcheck"):
        tuning.make_extension(ONE, known[name])
    assert query(real, "SELECT similarity('word', 'words') > 0.5") == "t"
    assert query(real, "DROP EXTENSION pg_trgm") == "DROP EXTENSION"
    assert "must be owner" in query(real, "DROP EXTENSION amcheck")


def test_no_function_of_the_app_runs_as_superuser(real: Running, tuning: PostgresqlTuning) -> None:
    """What an extension's script might call by mistake is found first; triggers are no such."""
    known = {one.name: one for one in tuning.extensions(ONE)}
    trigger = (
        "CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    )
    assert query(real, trigger) == "CREATE FUNCTION"
    tuning.make_extension(ONE, known["pg_freespacemap"])
    trap = "CREATE FUNCTION lower(int) RETURNS int LANGUAGE sql AS 'SELECT 1'"
    assert query(real, trap) == "CREATE FUNCTION"
    try:
        with pytest.raises(PaasError) as caught:
            tuning.make_extension(ONE, known["pg_buffercache"])
        assert caught.value.reference == "pg-extension-refused"
        tuning.make_extension(ONE, known["citext"])
    finally:
        query(real, "DROP FUNCTION lower(int); DROP FUNCTION touched();")


def test_what_is_harmless_is_there_under_that_name(tuning: PostgresqlTuning) -> None:
    """Of Debian's package with PostgreSQL itself."""
    known = {one.name: one for one in tuning.extensions(ONE)}
    elsewhere = ("address_standardizer", "postgis", "vector")
    for name in HARMLESS:
        if not name.startswith(elsewhere):
            assert known[name].maker in (Maker.PLATFORM, Maker.APP), name
    for name in ("pg_trgm", "citext", "pgcrypto", "uuid-ossp", "hstore", "unaccent"):
        assert known[name].maker is Maker.APP
