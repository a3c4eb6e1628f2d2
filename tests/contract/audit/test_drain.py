"""The audit trail on its way to a receiver: whole, in order, and never dropped."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from paas.adapters.audit.drain import AuditForwarder
from paas.adapters.audit.drain_progress import findings
from paas.adapters.audit.files import AuditFiles
from paas.adapters.logs.drain_sinks import SendError, make_sink
from paas.domain.logs.drains import Drain
from paas.domain.values.secret import Secret
from paas.settings import Settings
from tests.contract.logs.drain_server import HttpReceiver, SyslogReceiver
from tests.waiting import wait_for

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Refusing:
    """A receiver that takes nothing, for good."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def send(self, body: bytes, count: int) -> None:
        self.asked.set()
        raise SendError("it answered 400", hopeless=True)

    def close(self) -> None:
        """There is no connection."""


class Place:
    """A trail, and what was reported of its drain."""

    def __init__(self, folder: Path) -> None:
        self.trail = AuditFiles(folder / "audit", folder / "marks", days=365)
        self.settings = Settings(state=folder, audit_drain="https://logs.example.com")
        self.progress = self.settings.paths.audit_drain
        self.progress.parent.mkdir()
        self.reported: list[str] = []

    def add(self, at: datetime = NOW) -> None:
        """One line."""
        self.trail.begin({"at": at.isoformat(), "command": "config:set"}, at)

    def forwarder(self, url: str) -> AuditForwarder:
        """What sends it to that receiver."""
        drain = Drain("audit", 0, Secret(url))
        return AuditForwarder(
            drain, "apps.example", self.trail, self.progress, self.reported.append
        )

    @contextlib.contextmanager
    def sending(self, url: str) -> Iterator[None]:
        """While the block runs."""
        forwarder, stop = self.forwarder(url), threading.Event()
        sink = partial(make_sink, Drain("audit", 0, Secret(url)).target, "audit", to_server=True)
        thread = threading.Thread(target=forwarder.run, args=(sink, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def lines(self) -> list[str]:
        """All of them, oldest first."""
        return [raw.decode() for raw in self.trail.lines()][::-1]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """With two lines of two months."""
    made = Place(tmp_path)
    made.add(NOW - timedelta(days=30))
    made.add()
    return made


def test_all_lines_in_order_and_each_once(place: Place) -> None:
    """From the first one that is kept; a later process goes on where this one ended."""
    syslog = SyslogReceiver()
    url = f"syslog://127.0.0.1:{syslog.port}"
    with contextlib.closing(syslog):
        with place.sending(url):
            wait_for(lambda: syslog.texts() == place.lines())
            place.add()
            wait_for(lambda: len(syslog.texts()) == 3)
        place.add(NOW + timedelta(days=5))
        with place.sending(url):
            wait_for(lambda: len(syslog.texts()) == 4)
        assert syslog.texts() == place.lines()
        head = b"<110>1 2026-11-29T12:00:00+00:00 apps.example paas audit - - {"
        assert syslog.frames[1].startswith(head)


def test_another_receiver_gets_it_from_the_beginning(place: Place) -> None:
    """By HTTP, in the form of log drains."""
    syslog, web = SyslogReceiver(), HttpReceiver()
    with contextlib.closing(syslog), contextlib.closing(web):
        with place.sending(f"syslog://127.0.0.1:{syslog.port}"):
            wait_for(lambda: len(syslog.texts()) == 2)
        with place.sending(f"http://127.0.0.1:{web.port}/audit"):
            wait_for(lambda: all(line.encode() in web.bodies() for line in place.lines()))


def test_what_is_not_accepted_is_kept(place: Place) -> None:
    """Also where it would be hopeless for lines of a log; it is reported once."""
    refusing, stop = Refusing(), threading.Event()
    forwarder = place.forwarder("http://127.0.0.1:1/")
    thread = threading.Thread(target=forwarder.run, args=(lambda: refusing, stop))
    thread.start()
    for _ in range(2):
        assert refusing.asked.wait(150)
        refusing.asked.clear()
    stop.set()
    thread.join()
    (report,) = place.reported
    assert "The audit drain accepts nothing: it answered 400." in report
    (finding,) = findings(place.settings)
    assert "accepts nothing: it answered 400. Its lines wait." in finding.message
    syslog = SyslogReceiver()
    with contextlib.closing(syslog), place.sending(f"syslog://127.0.0.1:{syslog.port}"):
        wait_for(lambda: syslog.texts() == place.lines())
        wait_for(lambda: findings(place.settings) == [])


def test_damage_is_sent_as_it_is(place: Place) -> None:
    """A receiver is to see what is in the files."""
    path = max(place.settings.paths.audit.iterdir())
    path.write_bytes(b"damaged\n")
    syslog = SyslogReceiver()
    with contextlib.closing(syslog), place.sending(f"syslog://127.0.0.1:{syslog.port}"):
        wait_for(lambda: len(syslog.texts()) == 2)
    assert syslog.texts()[1] == "damaged"
    assert syslog.frames[1].startswith(b"<110>1 - apps.example paas audit - - ")
