"""What holds for all tests."""

import gc
import io
import os
import shutil
import signal
import tempfile
from pathlib import Path

import coverage
import pytest

from tests import order, run_directory
from tests.e2e.server import remove_left_servers

MEASURED = ("paas/domain", "paas/services")
# Several machines (tests/cluster_machines.py): they take a minute of both cores.
ON_REQUEST = ("long", "swarm")
# Of fewer files, the order is that in which they were named.
MANY = 100
UNIT = Path(__file__).with_name("unit")


def pytest_configure(config: pytest.Config) -> None:
    """Take signals as a program on a terminal does, though started by ``nohup tests/run &``.

    A signal that is ignored stays so in every process that the tests start.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    if not hasattr(config, "workerinput"):
        _make_run_directory(config)
    # While thousands of tests are collected, nothing becomes garbage: looking for it takes a fifth.
    gc.disable()


def pytest_collection_finish() -> None:
    """Tests run as programs do."""
    gc.enable()


def _make_run_directory(config: pytest.Config) -> None:
    """The workers inherit its name. An interrupted run ends them, but none of their servers."""
    directory = tempfile.mkdtemp(prefix="paas-tests-")
    if not config.option.basetemp:
        # Accounts of apps pass through it; pytest would close its usual one, which all runs on the
        # machine share, whenever another run starts.
        config.option.basetemp = f"{directory}/t"
    os.environ[run_directory.VARIABLE] = directory
    config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))
    config.add_cleanup(remove_left_servers)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> order.InOrder:
    """Several processes have the files in the order of order.py."""
    return order.InOrder(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs only by the name of its marker, and measure coverage of unit tests alone.

    Measuring slows Python down by half, and what the others run of the rules and services is in
    other processes.
    """
    for marker in ON_REQUEST:
        if marker not in config.option.markexpr:
            left_out = [item for item in items if item.get_closest_marker(marker)]
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=left_out)
    _order(items)
    for item in items:
        if UNIT not in item.path.parents:
            item.add_marker("no_cover")


def _order(items: list[pytest.Item]) -> None:
    """Bring the files of a whole run into the order of order.py."""
    files = dict.fromkeys(_file(item) for item in items)
    if len(files) > MANY:
        places = {path: place for place, path in enumerate(order.ordered(files))}
        items.sort(key=lambda item: places[_file(item)])


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print one line of coverage for each measured package, where it was measured (tests/run)."""
    if not config.getoption("cov_source", default=None) or hasattr(config, "workerinput"):
        return
    data = coverage.Coverage()
    data.load()
    if not data.get_data().measured_files():
        return  # interrupted before a unit test
    terminalreporter.section("coverage")
    for package in MEASURED:
        percent = data.report(include=f"{Path(config.rootpath, package)}/*", file=io.StringIO())
        terminalreporter.write_line(f"{package}: {percent:.1f} % of the statements")
