"""Heroku's own CLI, unmodified, against a whole server: a session as people have it."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests import heroku_cli
from tests.authority import Authority, pem
from tests.e2e.server import Finished, Repository, Server, User, run
from tests.e2e.test_git_over_http import forwarded
from tests.e2e.tiny import tiny
from tests.waiting import wait_for

FORWARDER = Path(__file__).with_name("forwarder.py")
COMMAND_LIMIT_S = 240


class Heroku:
    """The CLI of a user, as ``paas heroku:env`` has set it up, at an address of this computer."""

    def __init__(self, user: User, folder: Path, host: str, *options: str) -> None:
        self.folder = folder
        found = json.loads(user.ssh("heroku:env", *options, "--host", host, "--json").stdout)
        own = {name: value for name, value in user.git_env().items() if "GIT_CONFIG" not in name}
        self.env = {
            **own,
            **found,
            "HOME": str(folder),
            "PATH": f"{heroku_cli.installed()}:{own['PATH']}",
            "HEROKU_API_KEY": user.ssh("tokens:create").stdout.strip(),
            "NODE_EXTRA_CA_CERTS": str(folder / "ca.pem"),
            "GIT_SSL_CAINFO": str(folder / "ca.pem"),
        }

    def __call__(
        self, *words: str, cwd: Path | None = None, check: bool = True, merge: bool = True
    ) -> Finished:
        """A command, with lines that are not cut."""
        env = {**self.env, "COLUMNS": "200"}
        argv = ["heroku", *words]
        where = cwd or self.folder
        return run(argv, env=env, cwd=where, check=check, merge=merge, timeout_s=COMMAND_LIMIT_S)


@pytest.fixture
def heroku(server: Server, alice: User, tmp_path: Path) -> Iterator[Heroku]:
    """Alice's."""
    authority, host = Authority(), tmp_path / "localhost.pem"
    host.write_bytes(authority.bundle("localhost"))
    (tmp_path / "ca.pem").write_bytes(pem(authority.root))
    argv = [sys.executable, str(FORWARDER), str(host), str(server.http_port), "api.localhost"]
    forwarder = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert forwarder.stdout is not None
    try:
        yield Heroku(alice, tmp_path, f"https://localhost:{int(forwarder.stdout.readline())}")
    finally:
        forwarder.kill()
        forwarder.communicate()


@pytest.mark.timeout(600)
def test_a_session(
    server: Server,
    alice: User,
    heroku: Heroku,
    repository: Callable[[dict[str, str | bytes]], Repository],
) -> None:
    """From an empty folder to an app that runs, is changed, goes back, and is gone."""
    assert heroku("auth:whoami", merge=False).stdout == "alice@localhost\n"
    source = repository(tiny("by heroku"))
    made = heroku("create", "heroku-shop", cwd=source.path)
    assert "http://heroku-shop.localhost" in made.stdout
    pushed = run(
        ["git", "push", "heroku", "main"],
        cwd=source.path,
        env={**heroku.env, "GIT_TERMINAL_PROMPT": "0"},
        merge=True,
        timeout_s=300,
    )
    assert "remote: -----> Live: " in pushed.stdout
    assert server.get("heroku-shop", "/").text == "by heroku"
    # -a is not needed: the remote says which app.
    set_vars = heroku("config:set", "GREETING=two words", "LEVEL=%5", cwd=source.path).stdout
    assert "GREETING: two words" in set_vars
    assert "done, v2" in set_vars
    wait_for(lambda: _environment(server).get("LEVEL") == "%5", what="the new release is live")
    shown = heroku("config", "--json", cwd=source.path, merge=False).stdout
    assert json.loads(shown) == {"GREETING": "two words", "LEVEL": "%5"}
    assert "running web at 2" in heroku("ps:scale", "web=2", cwd=source.path).stdout
    heroku("ps:wait", cwd=source.path)
    wait_for(lambda: _instances(server) == ["web.1", "web.2"], what="two instances")
    assert "web.2: up" in heroku("ps", cwd=source.path).stdout
    assert "Set GREETING, LEVEL" in heroku("releases", cwd=source.path).stdout
    assert "done, v3" in heroku("rollback", "v1", cwd=source.path).stdout
    wait_for(lambda: "LEVEL" not in _environment(server), what="the former config is live")
    _use_a_database(server, heroku, source)
    _promote(server, alice)
    added = heroku("domains:add", "www.heroku.example.net", cwd=source.path).stdout
    assert "Adding www.heroku.example.net to heroku-shop... done" in added
    assert "www.heroku.example.net is pending" in added
    packs = heroku("buildpacks:add", "heroku/python", cwd=source.path).stdout
    assert "Next release on" in packs
    assert "heroku/python" in packs
    heroku("maintenance:on", cwd=source.path)
    assert server.get("heroku-shop", "/").status == 503
    assert "Error ID: not_found" in heroku("ps", "-a", "unknown-app", check=False).stdout
    heroku("apps:rename", "heroku-store", cwd=source.path)
    info = heroku("apps:info", cwd=source.path).stdout
    assert "heroku-store" in info
    assert "web: 2" in info
    heroku("apps:destroy", "--confirm", "heroku-store", cwd=source.path)
    assert "heroku-store" not in heroku("apps").stdout
    audit = server.paas("audit", "--json").stdout
    for command in ("apps:create", "config:set", "ps:scale", "rollback", "apps:destroy"):
        assert f'"command": "{command}"' in audit
    assert "two words" not in audit
    shutil.rmtree(heroku.folder / ".cache", ignore_errors=True)


@pytest.mark.timeout(600)
def test_heroku3(server: Server, heroku: Heroku, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python client: an archive is uploaded, built and followed; then the app is changed."""
    import heroku3  # of use here alone

    base = heroku.env["HEROKU_HOST"]
    monkeypatch.setattr(heroku3.api, "HEROKU_URL", base)
    session = requests.Session()
    session.verify = heroku.env["NODE_EXTRA_CA_CERTS"]
    client = heroku3.from_key(heroku.env["HEROKU_API_KEY"], session)
    assert client.is_authenticated
    assert client.account().email == "alice@localhost"
    app = client.create_app("heroku3-shop")
    url = client._http_resource("POST", "sources").json()["source_blob"]["put_url"]

    def forwarded(url: str) -> str:
        return f"{base}{urlsplit(url).path}"

    whole, another = _archive(tiny("by heroku3")), iter([b"in", b"chunks"])
    assert session.put(forwarded(url), data=another, auth=_nobody).status_code == 200
    assert session.put(forwarded(url), data=whole, auth=_nobody).status_code == 200
    checksum = f"SHA256:{hashlib.sha256(whole).hexdigest()}"
    build = app.create_build(url, checksum=checksum, version="the first")
    output = session.get(forwarded(build.output_stream_url), auth=_nobody).text
    assert "-----> Live: " in output
    assert server.get("heroku3-shop", "/").text == "by heroku3"
    wait_for(lambda: [found.status for found in app.builds()] == ["succeeded"], what="its record")
    assert "the first" in app.releases()[0].description
    app.update_config({"GREETING": "two words"})
    wait_for(lambda: app.config()["GREETING"] == "two words", what="the new release is live")
    wait_for(lambda: [dyno.state for dyno in app.dynos()] == ["up"], what="its instance is up")
    assert [kind.type for kind in app.process_formation()] == ["web"]
    assert [domain.kind for domain in app.domains()] == ["heroku"]
    app.delete()
    wait_for(lambda: "heroku3-shop" not in [found.name for found in client.apps()], what="its end")


def _nobody(request: Any) -> Any:
    """Capability URLs take no token."""
    return request


def _archive(files: dict[str, str | bytes]) -> bytes:
    """A tar.gz of them."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def _use_a_database(server: Server, heroku: Heroku, source: Repository) -> None:
    """Create one, look at it, and destroy it."""
    made = heroku("addons:create", "heroku-postgresql", "--wait", cwd=source.path).stdout
    assert "as DATABASE_URL" in made
    wait_for(lambda: "DATABASE_URL" in _environment(server), what="the app has its URL")
    shown = heroku("pg:info", cwd=source.path).stdout
    assert "Available" in shown
    confirm = ("--confirm", "heroku-shop", "--wait")
    assert "done" in heroku("addons:destroy", "DATABASE", *confirm, cwd=source.path).stdout


def _promote(server: Server, alice: User) -> None:
    """Have another app run the same code, from a copy of its own."""
    alice.ssh("apps:create heroku-next")
    alice.ssh("pipelines:create heroku-line -a heroku-shop --stage staging")
    alice.ssh("pipelines:add heroku-line -a heroku-next --stage production")
    alice.ssh("pipelines:promote -a heroku-shop", timeout_s=COMMAND_LIMIT_S)
    assert server.get("heroku-next", "/").text == "by heroku"


def _environment(server: Server) -> dict[str, str]:
    found: dict[str, str] = json.loads(server.get("heroku-shop", "/env").text)
    return found


def _instances(server: Server) -> list[str]:
    rows = json.loads(server.paas("ps", "-a", "heroku-shop", "--json").stdout)
    return [row["instance"] for row in rows if row["state"] == "up"]


def test_a_session_over_ssh(
    server: Server,
    alice: User,
    tmp_path: Path,
    repository: Callable[[dict[str, str | bytes]], Repository],
) -> None:
    """Without HTTPS, as ``paas heroku:proxy`` forwards it."""
    with forwarded(server, alice) as port:
        heroku = Heroku(alice, tmp_path, f"http://127.0.0.1:{port}", "--proxy")
        source = repository(tiny("over ssh"))
        heroku("create", "heroku-crossing", cwd=source.path)
        pushed = run(["git", "push", "heroku", "main"], cwd=source.path, env=heroku.env, merge=True)
        assert "remote: -----> Live: " in pushed.stdout
        assert "web.1: up" in heroku("ps", cwd=source.path).stdout
        wait_for(lambda: "Deploy" in heroku("logs", cwd=source.path).stdout, what="the log")
