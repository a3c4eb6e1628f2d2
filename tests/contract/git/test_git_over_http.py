"""git over HTTP: real git, the web process, the gate, and the hook as the platform's account."""

import fcntl
import gzip
import http.client
import os
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.gate.gate_world import ACCOUNT, ADDRESS, LIMIT_S
from tests.contract.git.pusher import Pusher, pushing
from tests.ports import free_ports
from tests.waiting import wait_for

PROCESS = Path(__file__).with_name("web_process.py")


class Visitor(Pusher):
    """Someone who has the repository ``shop`` at ``url``."""

    port: int
    web: "subprocess.Popen[bytes]"

    def workers(self) -> set[str]:
        """The processes of the web process that answer."""
        return set(Path(f"/proc/{self.web.pid}/task/{self.web.pid}/children").read_text().split())

    def url(self, token: str = "alice-token", app: str = "shop") -> str:
        """The repository's, with a token as the password."""
        return f"http://x:{token}@127.0.0.1:{self.port}/{app}.git"

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """A request that is not git's: the status, the headers and the body of its answer."""
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        conn.request(method, path, body, {"X-Real-IP": ADDRESS, **named})
        answer = conn.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        conn.close()
        return found


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    """A gate, a web process, and someone who pushes."""
    with pushing() as pusher:
        found = Visitor.__new__(Visitor)
        found.__dict__.update(pusher.__dict__)
        (found.port,) = free_ports(1)
        found.env["GIT_CONFIG_COUNT"] = "1"
        found.env["GIT_CONFIG_KEY_0"] = "http.extraHeader"
        found.env["GIT_CONFIG_VALUE_0"] = f"X-Real-IP: {ADDRESS}"
        found.env["GIT_TERMINAL_PROMPT"] = "0"
        log = pusher.world.root / "web.log"
        with log.open("wb") as file:
            found.web = web = subprocess.Popen(
                [
                    sys.executable,
                    PROCESS,
                    found.world.socket.with_name("web.sock"),
                    str(found.port),
                ],
                env={"PYTHONPATH": str(found.world.root / "code"), "PATH": os.environ["PATH"]},
                stdout=file,
                stderr=file,
                user=ACCOUNT + 1,
                group=ACCOUNT + 1,
                extra_groups=[],
            )
        try:
            wait_for(lambda: "Booting worker" in log.read_text(), what="the web process serves")
            yield found
        finally:
            web.terminate()
            web.wait(LIMIT_S)
            print(log.read_text(), pusher.world.log.read_text())


def test_push_and_clone(visitor: Visitor, tmp_path: Path) -> None:
    """The hook learns all of the push, with its token; the refs move, and a clone has them."""
    commit = visitor.commit("two")
    pushed = visitor.git("push", visitor.url(), "main")
    for line in (
        "remote: -----> push by alice to shop (7)",
        f"remote:        from {ADDRESS} with None",
        "remote:        token alice-token",
        "remote:        GIT_QUARANTINE_PATH True True",
        "remote:        ref refs/heads/main",
    ):
        assert line in pushed.stdout
    assert (pushed.returncode, visitor.head()) == (0, commit)
    for version in ("0", "1", "2"):
        into = f"../over-http-{version}"
        cloned = visitor.git("-c", f"protocol.version={version}", "clone", visitor.url(), into)
        assert cloned.returncode == 0, cloned.stdout
        assert (visitor.tree.parent / into.removeprefix("../") / "file").read_text() == "two"
    assert visitor.world.log.read_text().count("listening") == 0


def test_a_large_push_comes_in_chunks(visitor: Visitor) -> None:
    """Beyond what git sends in one piece, and beyond the server's limit, which is explained."""
    (visitor.tree / "large").write_bytes(os.urandom(700_000))
    visitor.git("add", "large")
    visitor.commit("large")
    pushed = visitor.git("-c", "http.postBuffer=65536", "push", visitor.url(), "main")
    assert pushed.returncode == 0, pushed.stdout
    (visitor.tree / "large").write_bytes(os.urandom(2_000_000))
    visitor.git("add", "large")
    visitor.commit("too large")
    for buffer_bytes in ("65536", "9000000"):
        refused = visitor.git(
            "-c", f"http.postBuffer={buffer_bytes}", "push", visitor.url(), "main"
        )
        assert refused.returncode == 1
        assert "remote:  !     This push is larger than the 1 MiB" in refused.stdout
    visitor.git("reset", "-q", "--hard", "HEAD^")


def test_a_hook_that_refuses(visitor: Visitor) -> None:
    """With push options; git prints what the hook says, and ends with 1."""
    before = visitor.head()
    visitor.commit("refused")
    refused = visitor.git("push", "-o", "refuse", visitor.url(), "main")
    assert (refused.returncode, visitor.head()) == (1, before)
    assert "remote: -----> push by alice to shop (7)" in refused.stdout
    assert "! [remote rejected] main -> main (pre-receive hook declined)" in refused.stdout


def test_the_pusher_sees_lines_as_they_come_and_may_leave(visitor: Visitor, tmp_path: Path) -> None:
    """While the hook works; Ctrl-C ends the push for the person, and git on the server."""
    slow = visitor.world.etc / "slow-hook"
    slow.touch()
    visitor.commit("slow")
    output = tmp_path / "output"
    with output.open("w") as file:
        options = {**visitor.options(), "stdout": file, "start_new_session": True}
        argv = ["git", "push", visitor.url(), "main"]
        push = subprocess.Popen(argv, cwd=visitor.tree, **options)
    wait_for(lambda: "ref refs/heads/main" in output.read_text(), what="the hook's lines come")
    with (tmp_path / "other").open("w") as file:
        options = {**visitor.options(), "stdout": file}
        waiting = subprocess.Popen(argv, cwd=visitor.tree, **options)
    os.killpg(push.pid, signal.SIGINT)
    assert push.wait(LIMIT_S) != 0
    slow.unlink()
    assert waiting.wait(LIMIT_S) == 0
    assert visitor.git("push", visitor.url(), "main").returncode == 0


@pytest.mark.parametrize(
    ("token", "app", "words"),
    [
        ("wrong", "shop", "The token is not known here."),
        ("alice-token", "nothing", "There is no app 'nothing'."),
        ("alice-token", "locked", "You are a viewer of locked."),
        ("alice-token", "..%2Fetc", "There is nothing here"),
        ("alice-token", "-rf", "'-rf' is not an app name"),
    ],
)
def test_who_may_not(visitor: Visitor, token: str, app: str, words: str) -> None:
    """git prints why."""
    for service in ("ls-remote", "push"):
        refused = visitor.git(service, visitor.url(token, app))
        assert refused.returncode in (1, 128)
        assert f"remote:  !     {words}" in refused.stdout or words in refused.stdout


def test_without_a_login(visitor: Visitor) -> None:
    """Credentials are asked for by the usual header, in words as well."""
    status, headers, body = visitor.ask("GET", "/shop.git/info/refs?service=git-upload-pack")
    assert (status, headers["WWW-Authenticate"][:6]) == (401, "Basic ")
    assert b"paas tokens:create" in body


def test_what_is_no_request_of_git(visitor: Visitor) -> None:
    """Other paths, services, methods and kinds of bodies are refused."""
    login = "Basic " + b64encode(b"x:alice-token").decode()
    for method, path, status in (
        ("GET", "/", 404),
        ("GET", "/shop.git/HEAD", 404),
        ("GET", "/a%0Ab.git/info/refs?service=git-upload-pack", 404),
        ("GET", "/$(id).git/info/refs?service=git-upload-pack", 404),
        ("GET", "/shop.git/info/refs", 403),
        ("GET", "/shop.git/info/refs?service=git-upload-archive", 403),
        ("GET", "/shop.git/git-receive-pack", 404),
        ("POST", "/shop.git/git-upload-archive", 404),
        ("POST", "/shop.git/git-receive-pack", 415),
    ):
        assert visitor.ask(method, path, Authorization=login)[0] == status, path
    kind = "application/x-git-receive-pack-request"
    path = "/shop.git/git-receive-pack"
    large = {"Authorization": login, "Content_Type": kind, "Content_Length": str(10**9)}
    assert visitor.ask("POST", path, b"", **large)[0] == 413
    for name in ("Basic", "Bearer alice-token", "Basic !!!", "Basic eDo="):
        assert visitor.ask("POST", path, b"", Authorization=name, Content_Type=kind)[0] == 401


def is_held(lock: Path) -> bool:
    """Whether a push has the lock."""
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@pytest.mark.parametrize("chunked", [False, True])
def test_a_pusher_who_leaves_in_the_middle(visitor: Visitor, chunked: bool) -> None:
    """Of what they send: nothing is pushed, and the next one finds the lock free."""
    login = "Basic " + b64encode(b"x:alice-token").decode()
    head = visitor.head()
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 1000"
    body = "4\r\n00a3\r\n" if chunked else "00a3"
    lines = [
        "POST /shop.git/git-receive-pack HTTP/1.1",
        "Host: x",
        f"X-Real-IP: {ADDRESS}",
        f"Authorization: {login}",
        "Content-Type: application/x-git-receive-pack-request",
        length,
        "",
        body,
    ]
    with socket.create_connection(("127.0.0.1", visitor.port), LIMIT_S) as connection:
        connection.sendall("\r\n".join(lines).encode())
        wait_for(lambda: is_held(visitor.world.root / "locks" / "shop"), what="git has the lock")
    visitor.commit(f"after one who left, {chunked}")
    pushed = visitor.git("push", visitor.url(), "main")
    assert pushed.returncode == 0, pushed.stdout
    assert visitor.head() != head


def test_a_packed_body(visitor: Visitor) -> None:
    """gzip is unpacked; a body that is not what it says, or is cut short, pushes nothing."""
    login = "Basic " + b64encode(b"x:alice-token").decode()
    kind = "application/x-git-receive-pack-request"
    head = visitor.head()
    line = f"{head} {'0' * 40} refs/heads/main\0report-status delete-refs\n".encode()
    command = f"{len(line) + 4:04x}".encode() + line
    path = "/shop.git/git-receive-pack"
    packed = {"Authorization": login, "Content_Type": kind, "Content_Encoding": "gzip"}
    for body in (b"no gzip", gzip.compress(command), gzip.compress(command + b"0000")[:-20]):
        visitor.ask("POST", path, body, **packed)
        assert visitor.head() == head
    answer = visitor.ask("POST", path, gzip.compress(command + b"0000"), **packed)
    assert b"ok refs/heads/main" in answer[2]
    assert visitor.head() == ""


def test_a_reload_takes_another_worker(visitor: Visitor) -> None:
    """SIGHUP reaches the web process, which goes on at the same port."""
    before = visitor.workers()
    visitor.web.send_signal(signal.SIGHUP)
    wait_for(
        lambda: bool(now := visitor.workers()) and now.isdisjoint(before), what="another worker"
    )
    found = visitor.git("ls-remote", visitor.url())
    assert found.returncode == 0, found.stdout
    assert visitor.web.poll() is None
