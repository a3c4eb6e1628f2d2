"""The directories that a server makes are those that `Paths` names."""

from pathlib import Path

import pytest

from paas.adapters.server.daemons import make_directories
from paas.adapters.server.expected_paths import directories, sockets_and_files
from paas.paths import Paths
from paas.settings import Settings


def unknown(paths: Paths) -> set[Path]:
    """What is in a server's directories, and neither named nor in nor above what is named."""
    named = {getattr(paths, name) for name in Paths.locations()}
    above = {parent for path in named for parent in path.parents}
    found = set()
    for root in (paths.etc, paths.state, paths.run, paths.opt):
        for path in root.rglob("*"):
            if path not in named | above and not named & set(path.parents):
                found.add(path)
    return found


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_directories_of_a_new_server_are_known(tmp_path: Path, proxy: str) -> None:
    """Each has its kind."""
    settings = Settings(
        etc=tmp_path / "etc",
        state=tmp_path / "var",
        run=tmp_path / "run",
        opt=tmp_path / "opt",
        account="root",
        embedded=True,
        proxy=proxy,
    )
    make_directories(settings)
    assert (settings.paths.haproxy_sites.is_dir(), settings.paths.nginx_sites.is_dir()) == (
        proxy == "haproxy",
        True,
    )
    assert unknown(settings.paths) == set()
    (settings.state / "novelty").mkdir()
    assert unknown(settings.paths) == {settings.state / "novelty"}


def test_what_doctor_looks_at_is_known() -> None:
    """The places with an owner and a mode: directories, sockets and files."""
    settings = Settings(account="root", embedded=True, proxy="haproxy")
    paths = settings.paths
    named = {getattr(paths, name) for name in Paths.locations()}
    named |= {paths.etc, paths.state, paths.run}
    for expected in (*directories(settings), *sockets_and_files(settings, running=True)):
        assert expected.path in named | {paths.haproxy_log_socket.parent}
