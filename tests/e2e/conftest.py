"""Fixtures: a server that the session's tests share, and servers of a test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.app_names import SharedServer
from tests.e2e.probe import App, push
from tests.e2e.server import Repository, Server, User, installed

Source = Path | dict[str, str | bytes]
STRICT = {
    "release_limit_s": 1,
    "stop_limit_s": 2,
    "keep_slugs": 2,
    "max_push_mib": 1,
    "max_tree_mib": 8,
    "max_tree_files": 100,
    "max_processes": 200,
    "max_runs": 2,
    # Long enough for whoever looks at what the rollback guard does.
    "watch_window_s": 300,
}
# Those of this process, as far as its tests used one.
SHARED: list[SharedServer] = []


@pytest.fixture(scope="module", autouse=True)
def names_of_its_own(request: pytest.FixtureRequest) -> Iterator[None]:
    """No file may use the name of another's app on a shared server."""
    yield
    taken = [name for each in SHARED for name in each.claim(request.path.name)]
    assert not taken, f"names of apps on a shared server: {', '.join(taken)}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server shared by the tests of a process: each test takes app names of its own."""
    settings = {"min_free_mib": 64, "drain_to_server": True, "max_apps": 1000, "web": True}
    with installed(Server.in_new_directory(settings)) as shared:
        SHARED.append(SharedServer(shared, "server"))
        yield shared


@pytest.fixture(scope="session")
def alice(server: Server) -> User:
    """A user of the shared server."""
    return server.user("alice")


@pytest.fixture(scope="session")
def bob(server: Server) -> User:
    """Another one."""
    return server.user("bob")


@pytest.fixture(scope="session")
def strict() -> Iterator[Server]:
    """Another shared server, with small limits, for what would be slow or large with the usual."""
    with installed(
        Server.in_new_directory({"min_free_mib": 64, "max_apps": 1000, **STRICT})
    ) as shared:
        SHARED.append(SharedServer(shared, "strict"))
        yield shared


@pytest.fixture
def new_server() -> Iterator[Callable[..., Server]]:
    """Makes servers of the test's own, for what would disturb others.

    Called with settings (``new_server(start_limit_s=5)``); ``disk_mib`` gives it a disk of its own.
    """
    with ExitStack() as stack:

        def make(*, disk_mib: int | None = None, **settings: Any) -> Server:
            made = Server.in_new_directory({"min_free_mib": 64, **settings})
            if disk_mib:
                made.disk_of_its_own(disk_mib)
            return stack.enter_context(installed(made))

        yield make


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[Source], Repository]:
    """Makes git repositories of a directory or of a dict of files."""
    count = iter(range(1000))
    return lambda source: Repository.of(tmp_path / f"repository{next(count)}", source)


@pytest.fixture(scope="session")
def probe(alice: User) -> App:
    """An app of alice's that does what its requests say."""
    return push(alice, "probe", {})


@pytest.fixture(scope="session")
def neighbour(bob: User) -> App:
    """The same app, of bob's."""
    return push(bob, "neighbour", {})
