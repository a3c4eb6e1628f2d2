"""The process that sends notifications, against receivers of all kinds."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from paas.adapters.notifications.notifier import NotifierProcess
from paas.domain.notifications.messages import Message, signature
from paas.domain.notifications.targets import EVENTS, Target
from paas.domain.values.secret import Secret
from paas.entrypoints.daemons.notifier import attempt
from paas.settings import Settings
from paas.store import Store
from paas.store.creation import create
from paas.store.server_keys import ServerKeys

MESSAGE = Message("[example.com] A title", "What is wrong.\n→ paas doctor")
MEBIBYTE = bytes(1024**2)


class Receiver(ThreadingHTTPServer):
    """Answers by path: /ok, /huge, /slow, /away, /broken. got: path, headers and body of each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.ended = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def base(self) -> str:
        """Where it is."""
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Answer as the path says."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.got.append((self.path, dict(self.headers), body))
        with suppress(OSError):
            self._answer()

    def _answer(self) -> None:
        if self.path == "/broken":
            self.wfile.write(b"no HTTP\r\n\r\n")
            return
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://{self.server.base}/ok")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        if self.path == "/huge":
            for _ in range(2_000):
                self.wfile.write(MEBIBYTE)
        while self.path == "/slow" and not self.server.ended.wait(0.1):
            self.wfile.write(b".")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on this machine."""
    made = Receiver()
    yield made
    made.ended.set()
    made.shutdown()
    made.server_close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A server with a store, which may notify this machine."""
    etc, state = tmp_path / "etc", tmp_path / "state"
    etc.mkdir()
    state.mkdir()
    (etc / "server.yml").write_text(
        f"domain: example.com\netc: {etc}\nstate: {state}\nrun: {tmp_path}/run\n"
        f"opt: {tmp_path}/opt\nnotify_private: true\n"
    )
    made = Settings(
        etc=etc, state=state, run=tmp_path / "run", opt=tmp_path / "opt", domain="example.com"
    )
    ServerKeys(made.paths.server_key).create()
    create(made.paths.database)
    return made


def target(url: str, id: str = "n.1") -> Target:
    """A place."""
    return Target(id, None, Secret(url), Secret("key"), EVENTS, datetime.now(UTC))


def send(settings: Settings, *urls: str) -> list[str | None]:
    """Notify these, in one batch."""
    store = Store(settings.paths.database, settings.ranges, ServerKeys(settings.paths.server_key))
    ids = [f"n.{number}" for number in range(len(urls))]
    for id, url in zip(ids, urls, strict=True):
        store.notifications.add(target(url, id))
    store.close()
    found = NotifierProcess(settings).send(dict.fromkeys(ids, MESSAGE))
    return [found[id] for id in ids]


def test_webhooks_and_services_are_notified(settings: Settings, receiver: Receiver) -> None:
    """Webhooks in Heroku's form, signed; each failure is that of one place."""
    base = receiver.base
    answers = send(
        settings,
        f"http://{base}/ok",
        f"ntfy://{base}/alarms",
        f"http://{base}/away",
        f"http://{base}/broken",
        f"http://{base}/huge",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:1/secret",
        "mailto:ops@example.com",
        "slack://token",
    )
    assert answers[:3] == [None, None, "it answered 302"]
    assert answers[3] is not None
    assert answers[4] is None
    assert answers[5] is not None
    assert "169.254.169.254" in answers[5]
    assert answers[6] == "Connection refused"
    assert answers[7] == "the setting smtp_url is not set"
    assert answers[8] == "its URL lacks something that the service needs"
    path, headers, body = receiver.got[0]
    assert (path, headers["Content-Type"]) == ("/ok", "application/json")
    assert headers["Heroku-Webhook-Hmac-SHA256"] == signature("key", body)
    assert json.loads(body)["data"] == MESSAGE.plain
    assert b"What is wrong." in receiver.got[1][2]


def test_this_machine_is_not_notified_unless_the_operator_allows_it(
    settings: Settings, receiver: Receiver
) -> None:
    """By no name, and through no library."""
    file = settings.etc / "server.yml"
    file.write_text(file.read_text().replace("notify_private: true\n", ""))
    answers = send(
        settings, f"http://localhost:{receiver.server_port}/ok", f"ntfy://{receiver.base}/a"
    )
    assert None not in answers
    assert answers[0] is not None
    assert "it is this server itself" in answers[0]
    assert receiver.got == []


def test_a_place_that_does_not_stop_answering_is_given_up(receiver: Receiver) -> None:
    """However it answers."""
    url = f"http://{receiver.base}/slow"
    assert attempt(target(url), MESSAGE.plain, None, 1.0) == "it did not answer in time"


def test_a_place_that_was_removed_meanwhile_is_not_notified(settings: Settings) -> None:
    """It is not there any longer."""
    assert NotifierProcess(settings).send({"n.9": MESSAGE}) == {"n.9": "it was removed"}
