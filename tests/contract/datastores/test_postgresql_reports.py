"""What a running PostgreSQL answers to pg:diagnose, pg:ps and the like, on the real server."""

import json
import subprocess
from functools import partial

import pytest

from paas.adapters.datastores.postgresql import programs
from paas.adapters.datastores.postgresql.reports import PostgresqlReports
from paas.domain.datastores.reports import CHECKS, Color, Report, judged
from paas.interfaces import DatastoreReports
from paas.settings import Settings
from tests.contract.datastores.test_postgresql import ONE, PASSWORD, Running, query, real
from tests.fakes.datastore_reports import FakeDatastoreReports
from tests.waiting import wait_for

__all__ = ["real"]


@pytest.fixture
def reports(real: Running) -> PostgresqlReports:
    """Of that server."""
    assert real.root is not None
    return PostgresqlReports(Settings(state=real.root, run=real.root.parent / "run").paths)


@pytest.fixture(params=["fake", "real"])
def each(request: pytest.FixtureRequest) -> DatastoreReports:
    """Each of them."""
    if request.param == "fake":
        return FakeDatastoreReports()
    real_one: PostgresqlReports = request.getfixturevalue("reports")
    return real_one


def test_ending_what_is_not_there(each: DatastoreReports) -> None:
    """It says so."""
    assert not each.end(ONE, 1)


def test_every_question_is_answered(real: Running, reports: PostgresqlReports) -> None:
    """Without complaints on a new database, and nothing of a user's is called."""
    made = query(
        real,
        "CREATE FUNCTION now() RETURNS timestamptz LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'called'; END$$;"
        "CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10000);",
    )
    assert made == "CREATE FUNCTION\nCREATE TABLE\nINSERT 0 10000"
    for report in Report:
        json.dumps(reports.rows(ONE, report))
    (connections,) = reports.rows(ONE, Report.CONNECTIONS)
    assert connections["color"] == "green"
    for check in CHECKS:
        assert judged(check, reports.rows(ONE, check)).color is Color.GREEN, check
    outliers = reports.rows(ONE, Report.OUTLIERS)
    assert any("generate_series" in str(row["query"]) for row in outliers)


def test_a_session_that_waits_and_its_end(real: Running, reports: PostgresqlReports) -> None:
    """Who blocks it is reported, and can be ended; the platform's own sessions cannot."""
    query(real, "CREATE TABLE locked (n int);")
    held = session("BEGIN; LOCK TABLE locked; SELECT pg_sleep(600);")
    processes = [held]
    try:
        locks = partial(reports.rows, ONE, Report.LOCKS)
        wait_for(lambda: any(one["relation"] == "locked" for one in locks()), what="the lock")
        waiting = session("SELECT * FROM locked;")
        processes.append(waiting)
        wait_for(lambda: reports.rows(ONE, Report.BLOCKING), what="who waits for it")
        (row,) = reports.rows(ONE, Report.BLOCKING)
        assert "locked" in str(row["blocked_statement"])
        wait_for(lambda: len(reports.rows(ONE, Report.PS)) == 2)
        assert reports.end(ONE, int(str(row["blocking_pid"])))
        assert waiting.wait(timeout=150) == 0
        assert held.wait(timeout=150) != 0
        assert not reports.end(ONE, 1)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def session(statements: str) -> subprocess.Popen[bytes]:
    """psql, as an app would run it."""
    return subprocess.Popen(
        [
            *(str(programs.binaries(ONE.version) / "psql"), "-X", "-v", "ON_ERROR_STOP=1"),
            *("-h", "127.0.0.1", "-p", str(ONE.port), "-U", ONE.login, "-d", ONE.login),
            *("-c", statements),
        ],
        env={"PGPASSWORD": PASSWORD, "PGCONNECT_TIMEOUT": "120"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
