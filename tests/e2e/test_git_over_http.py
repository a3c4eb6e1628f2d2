"""git over HTTP on a whole server, with tokens; at localhost without a certificate."""

import functools
import http.client
import http.server
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import yaml

from paas.domain.git.events import Forge, What
from tests.e2e.server import Finished, Repository, Server, User, git_environment, run
from tests.e2e.tiny import Pause, tiny
from tests.ports import free_port
from tests.processes import command_lines, first_of
from tests.unit.git import deliveries
from tests.unit.git.pull_requests import pulled
from tests.waiting import wait_for

PAAS = Path(sys.executable).with_name("paas")
Make = Callable[[dict[str, str | bytes]], Repository]


def token_of(user: User, *options: str) -> str:
    """A new token."""
    return user.ssh("tokens:create", *options).stdout.strip()


def url(server: Server, token: str, app: str) -> str:
    """Of an app's repository, with a token as the password."""
    return f"http://anyone:{token}@git.localhost:{server.http_port}/{app}.git"


def git(repository: Repository | Path, *words: str) -> Finished:
    """git without a way in but what its words say; stdout and stderr together."""
    env = {**git_environment(), "GIT_TERMINAL_PROMPT": "0"}
    where = repository if isinstance(repository, Path) else repository.path
    return run(["git", *words], cwd=where, env=env, check=False, merge=True, timeout_s=150)


@pytest.fixture(scope="module")
def token(alice: User) -> str:
    """That stands for alice's account."""
    return token_of(alice)


def test_push_and_clone(
    server: Server, alice: User, token: str, repository: Make, tmp_path: Path
) -> None:
    """A first push makes the app; what was built is told while it is; a clone has the files."""
    files = tiny("over http", large=os.urandom(2_000_000))
    pushed = git(repository(files), "push", url(server, token, "webbed"), "main")
    assert pushed.returncode == 0, pushed.stdout
    assert re.search(r"^remote: -----> .*[Pp]ython", pushed.stdout, re.MULTILINE)
    assert server.get("webbed", "/").text == "over http"
    releases = alice.ssh("releases", "-a", "webbed", "--json").stdout
    assert '"user": "alice"' in releases
    audit = server.paas("audit", "-a", "webbed", "--json").stdout
    assert f"token:{token[5:13]}" in audit
    assert token[13:43] not in audit
    assert git(tmp_path, "clone", "-q", url(server, token, "webbed"), "clone").returncode == 0
    assert (tmp_path / "clone" / "large").stat().st_size == 2_000_000


def test_the_pipelines_of_the_documentation(server: Server, alice: User, repository: Make) -> None:
    """Each pushes as it stands there, but for the address; and ends with an error if refused."""
    alice.ssh("apps:create", "piped")
    token = token_of(alice, "--app", "piped", "--role", "deployer")
    source = repository(tiny("by a pipeline"))
    base = f"http://git.localhost:{server.http_port}"
    scripts = [
        script.replace("https://git.apps.example.com", base).replace("/shop.git", "/piped.git")
        for script in pipelines()
    ]
    assert len(scripts) == 3
    for script in scripts:
        env = {**git_environment(), "PAAS_TOKEN": token}
        done = run(["sh", "-euc", script], cwd=source.path, env=env, merge=True, timeout_s=150)
        assert token not in done.stdout
    assert server.get("piped", "/").text == "by a pipeline"
    refused = run(
        ["sh", "-euc", scripts[0]],
        cwd=source.path,
        env={**git_environment(), "PAAS_TOKEN": token[:-1]},
        check=False,
        merge=True,
    )
    assert refused.returncode != 0


def pipelines() -> list[str]:
    """What is run by the examples that have a token alone."""
    text = (Path(__file__).parents[2] / "docs/how-to/ci.md").read_text()
    found = []
    for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        if "git.apps.example.com" not in block:
            continue
        row = yaml.safe_load(block)
        if "jobs" in row:
            found.append(row["jobs"]["deploy"]["steps"][-1]["run"])
        else:
            lines = row["deploy"]["script"] if "deploy" in row else row["steps"][0]["commands"]
            found.append("\n".join(lines))
    return found


def test_a_push_that_is_rejected(server: Server, token: str, repository: Make) -> None:
    """By its build; with the reason, and git ends with 1."""
    broken = tiny("broken") | {"requirements.txt": "no-such-package-of-paas==1\n"}
    rejected = git(repository(broken), "push", url(server, token, "webbed-broken"), "main")
    assert rejected.returncode == 1, rejected
    assert "remote:  !     " in rejected.stdout
    assert "[remote rejected] main -> main (pre-receive hook declined)" in rejected.stdout


def test_tokens_that_may_not(server: Server, alice: User, bob: User, repository: Make) -> None:
    """git prints why: one that is wrong, has expired, only sees, or is somebody else's."""
    source = repository(tiny("mine"))
    alice.ssh("apps:create", "webbed-mine")
    viewer = token_of(alice, "--role", "viewer")
    expired = token_of(alice)
    with closing(sqlite3.connect(server.state / "state.db")) as db, db:
        db.execute(
            "UPDATE tokens SET expires_at = '2020-01-01T00:00:00+00:00' WHERE prefix = ?",
            (expired[5:13],),
        )
    cases = (
        ("paas_" + "x" * 46, "token"),
        (expired, f"The token {expired[5:13]} expired on 2020-01-01"),
        (viewer, "This token makes you a viewer of webbed-mine"),
        (token_of(bob), "webbed-mine"),
    )
    for token, words in cases:
        for command in (["push"], ["ls-remote"]):
            where = url(server, token, "webbed-mine")
            refused = git(source, *command, where, *(["main"] if command == ["push"] else []))
            assert refused.returncode == 128
            assert re.search(rf"^remote: +! .*{re.escape(words)}", refused.stdout, re.MULTILINE)


def test_ctrl_c(server: Server, token: str, repository: Make, tmp_path: Path) -> None:
    """Ends the push for the person, and the next one finds the app free."""
    pause = Pause()
    source = repository(tiny("left", **{"bin/pre_compile": pause.hook}))
    output = tmp_path / "output"
    with output.open("w") as file:
        push = subprocess.Popen(
            ["git", "push", url(server, token, "webbed-left"), "main"],
            cwd=source.path,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    wait_for(lambda: "remote: ----->" in output.read_text(), what="the build is shown")
    pause.wait()
    os.killpg(push.pid, signal.SIGINT)
    assert push.wait(150) != 0
    with suppress(OSError):  # the build may have ended with the push
        pause.go()
    pause.close()
    source.git("rm", "-q", "bin/pre_compile")
    source.commit()
    pushed = git(source, "push", url(server, token, "webbed-left"), "main")
    assert pushed.returncode == 0, pushed.stdout


def test_the_web_process_has_no_rights(server: Server) -> None:
    """Its own uid, no capability, no group, and no file of the server open."""
    assert re.search(r"^web:? +RUNNING\b", server.paas("server:status").stdout, re.MULTILINE)
    words = ["paas.entrypoints.web.server", "--etc", str(server.root / "etc")]
    pid = first_of([one for one, line in command_lines().items() if line[-3:] == words]).pid
    status = Path(f"/proc/{pid}/status").read_text()
    uid = re.search(r"^Uid:\t(\d+)\t\1\t\1\t\1$", status, re.MULTILINE)
    assert uid is not None
    assert int(uid[1]) >= 1000
    assert "CapEff:\t0000000000000000" in status
    assert re.search(r"^Groups:\t *$", status, re.MULTILINE)
    assert "NoNewPrivs:\t1" in status
    opened = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            opened.append(str(fd.readlink()))
    assert not [name for name in opened if name.startswith(str(server.state))]
    argv = ["setpriv", f"--reuid={uid[1]}", f"--regid={uid[1]}", "--clear-groups"]
    for command in (
        ["ls", server.run],
        ["ls", server.state / "git"],
        ["cat", server.state / "state.db"],
        ["cat", server.root / "etc" / "server.key"],
    ):
        denied = run([*argv, *map(str, command)], check=False)
        assert "Permission denied" in denied.stderr


@contextmanager
def shelf(folder: Path) -> Iterator[str]:
    """Files over HTTP, which git reads as a repository (gitprotocol-http(5), dumb)."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


def a_pull_request_has_an_app_while_it_is_open(
    server: Server, alice: User, path: str, repositories: tuple[Path, Path], secret: str
) -> None:
    """With the code of its branch; the parent's row alone says that it may be removed."""
    bare, source = repositories
    alice.ssh("previews:enable", "hooked", "--config", "MAIL=off")
    (source / "more").write_text("of the pull request")
    git(source, "checkout", "-q", "-b", "topic")
    git(source, "add", "more")
    git(source, "commit", "-q", "-m", "More")
    git(source, "push", "-q", str(bare), "topic")
    git(bare, "update-server-info")
    commit = git(bare, "rev-parse", "topic").stdout.strip()

    def told(what: What) -> int:
        headers, body = pulled(Forge.GITHUB, secret, what, "topic", commit)
        return server.get("git.localhost", path, headers=headers, method="POST", body=body).status

    assert told(What.OPENED) == 202
    wait_for(
        lambda: "hooked-pr-12  pull request 12  deployed" in alice.ssh("previews", "hooked").stdout,
        what="the pull request is deployed",
    )
    assert server.get("hooked-pr-12").text == "pushed elsewhere"
    assert alice.ssh("config:get", "-a", "hooked-pr-12", "MAIL").stdout == "off\n"
    assert told(What.CLOSED) == 202
    wait_for(lambda: "hooked-pr-12" not in alice.ssh("apps").stdout, what="the preview is removed")


def test_a_webhook_deploys(server: Server, alice: User, repository: Make, tmp_path: Path) -> None:
    """What was pushed elsewhere goes live, as alice's; one that is not genuine does nothing."""
    alice.ssh("apps:create", "hooked")
    source = repository(tiny("pushed elsewhere"))
    bare = tmp_path / "shop.git"
    git(tmp_path, "clone", "-q", "--bare", str(source.path), str(bare))
    git(bare, "update-server-info")
    commit = git(bare, "rev-parse", "main").stdout.strip()
    with shelf(tmp_path) as address:
        from_there = ("--from", f"{address}/shop.git")
        told = alice.ssh("git:deploy-on-push", "-a", "hooked", *from_there).stdout.split()
        url, secret = told[-2:]
        host, path = "git.localhost", "/hooks/" + url.rpartition("/")[2]
        assert url == f"http://{host}:{server.http_port}{path}"
        headers, body = deliveries.github("wrong", "main", commit)
        assert server.get(host, path, headers=headers, method="POST", body=body).status == 401
        huge = server.get(host, path, headers=headers, method="POST", body=bytes(6 * 1024**2))
        assert huge.status == 413
        assert server.get(host, "/hooks/nobody", headers=headers, method="POST").status == 404
        assert server.get(host, path).status == 404
        headers, body = deliveries.github(secret, "main", commit)
        taken = server.get(host, path, headers=headers, method="POST", body=body)
        assert taken.status == 202, taken.text
        wait_for(
            lambda: ": deployed" in alice.ssh("git:deploy-on-push", "-a", "hooked").stdout,
            what="the push is deployed",
        )
        a_pull_request_has_an_app_while_it_is_open(server, alice, path, (bare, source.path), secret)
    assert server.get("hooked").text == "pushed elsewhere"
    assert '"user": "alice"' in alice.ssh("releases", "-a", "hooked", "--json").stdout
    audit = server.paas("audit", "-a", "hooked", "--json").stdout
    assert "webhook:github" in audit
    assert commit in audit
    assert secret not in audit


@contextmanager
def forwarded(server: Server, user: User) -> Iterator[int]:
    """A port of heroku:proxy."""
    port, where = free_port(), f"paas@127.0.0.1:{server.ssh_port}"
    argv = [str(PAAS), "heroku:proxy", "--port", str(port), "--server", where]
    with subprocess.Popen(argv, env=user.git_env(), stderr=subprocess.PIPE, text=True) as proxy:
        assert proxy.stderr is not None
        assert f"http://127.0.0.1:{port} leads to paas@127.0.0.1" in proxy.stderr.readline()
        try:
            yield port
        finally:
            proxy.send_signal(signal.SIGINT)


def test_the_api_over_ssh(server: Server, alice: User, token: str, repository: Make) -> None:
    """Without HTTPS: requests, logs and pushes; who asks is told by sshd, not by a header."""
    claimed = {"Authorization": f"Bearer {token}", "X-Real-IP": "203.0.113.9"}

    def ask(method: str, path: str, body: object = None) -> dict[str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with closing(connection):
            connection.request(method, path, json.dumps(body) if body else None, claimed)
            answer = connection.getresponse()
            assert answer.status in {200, 201}, answer.read()
            found: dict[str, str] = json.loads(answer.read())
            return found

    with forwarded(server, alice) as port:
        assert ask("GET", "/account")["email"].startswith("alice@")
        assert ask("POST", "/apps", {"name": "relayed"})["name"] == "relayed"
        audit = server.paas("audit", "-a", "relayed", "--json").stdout
        assert '"address": "127.0.0.1"' in audit
        assert "203.0.113.9" not in audit
        logs = ask("POST", "/apps/relayed/log-sessions", {"lines": 1})["logplex_url"]
        assert logs.startswith(f"http://127.0.0.1:{port}/streams/")
        with urllib.request.urlopen(logs, timeout=60) as stream:
            assert stream.status == 200
        host = f"http://127.0.0.1:{port}"
        told = alice.ssh("heroku:env", "--proxy", "--host", host, "--json").stdout
        env = {**alice.git_env(), **json.loads(told)}
        argv = ["git", "push", "--dry-run", f"https://127.0.0.1:{port}/relayed.git", "main"]
        pushed = run(argv, cwd=repository(tiny("x")).path, env=env, merge=True)
        assert "main -> main" in pushed.stdout
