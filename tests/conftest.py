"""What holds for all tests."""

import io
import signal
from pathlib import Path

import coverage
import pytest

MEASURED = ("paas/domain", "paas/services")


def pytest_configure() -> None:
    """Take signals as a program on a terminal does, though started by ``nohup tests/run &``.

    A signal that is ignored stays so in every process that the tests start.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print one line of coverage for each measured package, where it was measured (tests/run)."""
    if not config.getoption("cov_source", default=None) or hasattr(config, "workerinput"):
        return
    data = coverage.Coverage()
    data.load()
    terminalreporter.section("coverage")
    for package in MEASURED:
        percent = data.report(include=f"{Path(config.rootpath, package)}/*", file=io.StringIO())
        terminalreporter.write_line(f"{package}: {percent:.1f} % of the statements")
