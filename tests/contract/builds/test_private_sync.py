"""Private repositories: by a token over HTTPS, and by a deploy key over SSH, from real servers."""

import http.server
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from paas.adapters.builds.builder import BuildpackBuilder
from paas.adapters.builds.buildpack_fetcher import SandboxBuildpackFetcher
from paas.adapters.ssh.deploy_keys import new_deploy_key
from paas.domain.builds.buildpacks import Buildpack, Kind
from paas.domain.git.credentials import DeployKey, FetchAccess, HostToken, host_token
from paas.domain.git.sources import GitSource, host_of
from paas.domain.values.errors import PaasError
from paas.interfaces import FetchedBuildpacks
from tests.contract.builds.git_https import LOGIN
from tests.contract.builds.importing import APP, Desk, commit, git, published
from tests.contract.builds.test_submodules import declared, fill
from tests.ports import free_port
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def token(desk: Desk, password: str = LOGIN[1]) -> HostToken:
    return host_token(host_of(desk.address), LOGIN[0], password)


def test_a_token_opens_a_private_repository_and_a_submodule(desk: Desk, tmp_path: Path) -> None:
    """Without it, or with a wrong one, the message says what to do; the token is never in it."""
    work = tmp_path / "work"
    tip = commit(work, {"app.py": "1"})
    url = published(desk, "private-shop", work)
    assert desk.sync(url, access=FetchAccess((token(desk),))) == tip
    links = {"lib": tip}
    files = fill(desk, declared("lib", url), links, FetchAccess((token(desk),)))
    assert files == {"lib/app.py": b"1"}
    for access, words in (
        (FetchAccess(), "does not exist, or is private"),
        (FetchAccess((token(desk, "wr0ng-word"),)), "refused the app's login"),
    ):
        with pytest.raises(PaasError, match=words) as raised:
            desk.sync(url, access=access)
        assert "paas git:auth localhost:" in (raised.value.hint or "")
        assert "wr0ng-word" not in str(raised.value.report) + "".join(desk.lines)


def test_a_private_buildpack_is_fetched_with_the_token_and_builds_without_it(
    desk: Desk, tmp_path: Path
) -> None:
    """At a ref, in a sandbox of its own; the build sees its files, and no token anywhere."""
    work = tmp_path / "work"
    script = "#!/bin/bash\necho from $(cat part); ls -A /tmp; env\n"
    commit(work, {"bin/detect": "echo Mine", "bin/compile": script, "part": "then"})
    git(work, "tag", "v1")
    commit(work, {"part": "now"})
    url = published(desk, "private-pack", work)
    fetcher = SandboxBuildpackFetcher(desk.settings)
    tree = desk.settings.state / "builds/1-1"
    tree.mkdir()
    os.chown(tree, APP.uid, APP.uid)

    def fetched(access: FetchAccess) -> AbstractContextManager[FetchedBuildpacks]:
        return fetcher.fetched(APP, [GitSource(url, "v1")], access, desk.hear, lambda: None)

    with fetched(FetchAccess((token(desk),))) as found:
        (place,) = found.directories
        pack = Buildpack(Kind.PATH, str(place), url)
        built = BuildpackBuilder(desk.settings).build(
            APP, tree, {}, desk.hear, buildpacks=[pack], commit="c" * 40
        )
    assert built.buildpack == "Mine"
    assert "from then" in desk.lines
    assert "paas-git" not in desk.lines
    assert LOGIN[1] not in "".join(desk.lines)
    assert not place.exists()
    with (
        pytest.raises(PaasError, match="refused the app's login"),
        fetched(FetchAccess((token(desk, "wr0ng-word"),))),
    ):
        pass


def test_a_token_does_not_follow_a_redirect(desk: Desk) -> None:
    """The other host sees none, whatever it asks for."""
    seen: list[str | None] = []

    class Thief(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()

        def log_message(self, format: str, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Thief) as thief:
        threading.Thread(target=thief.serve_forever, daemon=True).start()
        with pytest.raises(PaasError, match="could not be fetched"):
            access = FetchAccess((token(desk),))
            desk.sync(f"{desk.address}/moved-{thief.server_port}/shop.git", access=access)
        thief.shutdown()
    assert seen
    assert set(seen) == {None}


@contextmanager
def sshd(root: Path, port: int, key: DeployKey, *, name: str = "host") -> Iterator[None]:
    """A real sshd that lets that key in as root."""
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / name)]
    subprocess.run(argv, check=True)
    (root / "keys").write_text(f"{key.public}\n")
    (root / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {root}/{name}\nPidFile none\n"
        f"AuthorizedKeysFile {root}/keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
    )
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (root / "sshd.log").open("w") as log:
        config = str(root / "sshd_config")
        daemon = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", config], stderr=log)
    try:
        wait_for(lambda: _answers(port), what="sshd answers")
        yield
    finally:
        daemon.terminate()
        daemon.wait(60)


def _answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_a_deploy_key_opens_a_repository_by_ssh(desk: Desk, tmp_path: Path) -> None:
    """The host key is kept at first use; another one is refused, and so is another app's key."""
    work, key = tmp_path / "work", new_deploy_key("shop@example.com")
    tip = commit(work, {"app.py": "1"})
    published(desk, "shop", work)
    port = free_port()
    url = f"ssh://root@localhost:{port}{desk.shelf}/shop.git"
    with sshd(tmp_path, port, key):
        assert desk.sync(url, access=FetchAccess(key=key)) == tip
        (kept,) = desk.host_keys
        assert kept.host == f"[localhost]:{port}"
        shown = subprocess.check_output(["ssh-keygen", "-lf", str(tmp_path / "host")], text=True)
        assert kept.fingerprint in shown
        known = FetchAccess(key=key, host_keys=(kept,))
        tip = commit(work, {"app.py": "2"})
        published(desk, "shop", work)
        assert desk.sync(url, access=known) == tip
        assert desk.host_keys == ()
        files = fill(desk, declared("lib", url), {"lib": tip}, known)
        assert files == {"lib/app.py": b"2"}
        with pytest.raises(PaasError, match="does not accept the app's deploy key"):
            desk.sync(url, access=FetchAccess(key=new_deploy_key("other"), host_keys=(kept,)))
    with (
        sshd(tmp_path, port, key, name="changed"),
        pytest.raises(PaasError, match="has another host key than before") as raised,
    ):
        desk.sync(url, access=known)
    assert raised.value.reference == "host-key-changed"
    assert f"--forget-host localhost:{port}" in (raised.value.hint or "")
    assert git(work, "rev-parse", "HEAD") == tip
