"""Drains, for real: log files go in, syslog and HTTP come out at receivers made here."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.logs.app_logs import FileLogs
from paas.adapters.logs.drain_forwarder import Forwarder, ForwarderContext
from paas.adapters.logs.drain_positions import DrainPositions, DrainState
from paas.adapters.logs.drain_sinks import Dial, SendError, has_hung_up, make_sink
from paas.adapters.system.clock import SystemClock
from paas.domain.logs.drains import Drain
from paas.domain.values.secret import Secret
from paas.settings import Settings
from tests.contract.logs.drain_server import HttpReceiver, SyslogReceiver, make_certificate
from tests.waiting import wait_for

TOKEN = "d.5f0c6a0e"
MIB = 1024 * 1024


class App:
    """App 5 with its log, and one drain that a test starts."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.settings = Settings(state=root, run=root, log_files=3, log_file_mib=1)
        self.logs = FileLogs(self.settings, SystemClock())
        self.positions = DrainPositions(self.settings)
        self.folder = root / "logs" / "5"
        self.folder.mkdir(parents=True)
        (root / "drains").mkdir()
        self.stack = stack

    def put(self, *texts: str, name: str = "app.log") -> None:
        """Lines of web.1."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with (self.folder / name).open("a") as file:
            file.writelines(f"{now} app[web.1] v1: {text}\n" for text in texts)

    def drain(self, url: str, *, queue_bytes: int = MIB) -> Callable[[], None]:
        """Forward until the test's end, or until what is returned is called."""
        drain = Drain(TOKEN, 5, Secret(url))
        if self.positions.load(TOKEN) is None:
            self.positions.begin(drain)
        context = ForwarderContext(
            logs_directory=self.folder.parent,
            positions=self.positions,
            logs=self.logs,
            clock=SystemClock(),
            files=3,
            queue_bytes=queue_bytes,
        )
        stop = threading.Event()

        def sink():  # type: ignore[no-untyped-def]
            return make_sink(drain.target, TOKEN, to_server=True)

        thread = threading.Thread(target=Forwarder(drain, "shop", sink, context, stop).run)
        thread.start()

        def end() -> None:
            stop.set()
            thread.join(200)
            assert not thread.is_alive()

        self.stack.callback(end)
        return end

    def logged(self, text: str) -> bool:
        """Whether the app's log has a line of the platform with it."""
        return any(text in line.text for line in self.logs.tail(5, 1000) if line.source == "paas")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """An app whose drains end with the test."""
    with ExitStack() as stack:
        yield App(tmp_path, stack)


@pytest.fixture
def web() -> Iterator[HttpReceiver]:
    """A receiver of requests."""
    made = HttpReceiver()
    yield made
    made.close()


def test_syslog_has_the_fields_of_rfc_5424(app: App, syslog: SyslogReceiver) -> None:
    """What came before the drain is left out; each source has its priority and name."""
    app.put("before")
    app.drain(f"syslog://127.0.0.1:{syslog.port}")
    app.put("hello ü")
    app.logs.write(5, "web.1", "State changed")
    with (app.folder / "router.log").open("a") as file:
        file.write('1795170030.042 router: method=GET path="/"\n')
    wait_for(lambda: len(syslog.frames) == 3)
    frames = sorted(frame.split(b" ") for frame in syslog.frames)
    assert [(f[0], *f[2:7]) for f in frames] == [
        (b"<158>1", b"shop", b"paas", b"router", b"-", b"-"),
        (b"<190>1", b"shop", b"app", b"web.1", b"-", b"-"),
        (b"<45>1", b"shop", b"paas", b"web.1", b"-", b"-"),
    ]
    assert frames[0][1] == b"2026-11-20T10:20:30.042000+00:00"
    assert sorted(syslog.texts()) == ["State changed", "hello ü", 'method=GET path="/"']


def test_http_is_as_of_heroku(app: App, web: HttpReceiver) -> None:
    """Type, count, id, token and login are reported; the connection is kept."""
    app.drain(f"http://me:secret@127.0.0.1:{web.port}/in?key=1")
    app.put("one", "two")
    wait_for(lambda: len(web.requests) == 1)
    path, headers, body = web.requests[0]
    assert path == "/in?key=1"
    assert headers["Content-Type"] == "application/logplex-1"
    assert headers["Logplex-Msg-Count"] == "2"
    assert headers["Logplex-Drain-Token"] == TOKEN
    assert headers["Authorization"] == "Basic bWU6c2VjcmV0"
    assert len(headers["Logplex-Frame-Id"]) == 32
    count, _, rest = body.partition(b" ")
    assert rest[: int(count)].startswith(b"<190>1 20")
    assert rest[: int(count)].endswith(b"+00:00 shop app web.1 - one")


def test_a_refused_request_is_sent_again_or_dropped(app: App, web: HttpReceiver) -> None:
    """503 is tried again; 403 is hopeless: dropped, counted, told, without the URL's secret."""
    web.status = 503
    app.drain(f"http://127.0.0.1:{web.port}/topsecret")
    app.put("again")
    wait_for(lambda: app.logged("it answered 503"))
    web.status = 204
    wait_for(lambda: app.logged("accepts messages again"))
    assert web.bodies().count(b"- again") >= 2
    web.status = 403
    app.put("refused")
    wait_for(lambda: app.logged("Error L10 (output buffer overflow): "))
    wait_for(lambda: web.bodies().count(b"- refused") == 1)
    assert "topsecret" not in (app.folder / "app.log").read_text()


def test_it_connects_anew(app: App, syslog: SyslogReceiver) -> None:
    """After the receiver has hung up nothing is lost."""
    app.drain(f"syslog+tcp://127.0.0.1:{syslog.port}")
    app.put("one")
    wait_for(lambda: syslog.texts() == ["one"])
    syslog.hang_up()
    app.put("two")
    wait_for(lambda: syslog.texts() == ["one", "two"])


def test_a_restart_loses_nothing(app: App, syslog: SyslogReceiver) -> None:
    """What is logged meanwhile is sent by the next one, also out of a rotated file."""
    end = app.drain(f"syslog://127.0.0.1:{syslog.port}")
    app.put("one")
    wait_for(lambda: syslog.texts() == ["one"])
    end()
    app.put("two")
    (app.folder / "app.log").rename(app.folder / "app.log.1")
    app.put("three")
    app.drain(f"syslog://127.0.0.1:{syslog.port}")
    wait_for(lambda: syslog.texts() == ["one", "two", "three"])
    (app.folder / "app.log.1").rename(app.folder / "app.log.2")
    (app.folder / "app.log").rename(app.folder / "app.log.1")
    app.put("four", name="app.log.1")  # whoever had it open may still write to it
    app.put("five")
    wait_for(lambda: syslog.texts()[3:] == ["four", "five"])


def test_what_waits_is_bounded_and_counted(app: App) -> None:
    """With nobody there the oldest lines go; the log says how many, and what came is exact."""
    receiver = SyslogReceiver()
    receiver.close()
    app.positions.begin(Drain(TOKEN, 5, Secret("syslog://127.0.0.1")))
    app.put(*(f"{number:05d} " + "x" * 93 for number in range(3_000)))
    end = app.drain(f"syslog://127.0.0.1:{receiver.port}", queue_bytes=100_000)
    wait_for(lambda: app.logged("Error L10 (output buffer overflow): "))
    wait_for(lambda: app.logged("accepts no messages: Connection refused"))
    end()
    lines = [line.text for line in app.logs.tail(5, 10_000) if line.source == "paas"]
    (said,) = [line for line in lines if "L10" in line]
    dropped = int(said.split("overflow): ")[1].split()[0])
    later = SyslogReceiver()
    app.drain(f"syslog://127.0.0.1:{later.port}", queue_bytes=100_000)
    wait_for(lambda: any(text.startswith("02999") for text in later.texts()))
    kept = [text for text in later.texts() if text.endswith("xxx")]
    assert dropped + len(kept) == 3_000
    assert kept[0].startswith(f"{dropped:05d}")
    later.close()


def test_tls_is_verified(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom the system's authorities do not vouch for gets nothing, and the log says why."""
    context, certificate = make_certificate(tmp_path)
    syslog, web = SyslogReceiver(context), HttpReceiver(context)
    end = app.drain(f"syslog+tls://localhost:{syslog.port}")
    app.put("secret")
    wait_for(lambda: app.logged("Error L14 (certificate validation error)"))
    end()
    assert syslog.frames == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    end = app.drain(f"syslog+tls://localhost:{syslog.port}")
    wait_for(lambda: "secret" in syslog.texts())
    end()
    app.drain(f"https://localhost:{web.port}/")
    app.put("by https")
    wait_for(lambda: b"by https" in web.bodies())
    syslog.close()
    web.close()


def test_the_server_itself_is_refused(syslog: SyslogReceiver) -> None:
    """By the address that a name has at that moment, also where it is the machine's own."""
    for host in ("localhost", "127.0.0.1", "::ffff:127.0.0.1"):
        name = f"[{host}]" if ":" in host else host
        target = Drain(TOKEN, 5, Secret(f"syslog://{name}:{syslog.port}")).target
        with pytest.raises(SendError, match="this server itself"):
            Dial(target, to_server=False).connect()
    assert syslog.frames == []


def test_a_receiver_that_talks_without_end_holds_nobody_up() -> None:
    """Its connection is given up instead of read for ever."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stop = threading.Event()

        def talk() -> None:
            theirs.settimeout(0.1)
            while not stop.is_set():
                with suppress(TimeoutError):
                    theirs.sendall(bytes(65_536))

        talker = threading.Thread(target=talk)
        talker.start()
        try:
            wait_for(lambda: has_hung_up(ours))
        finally:
            stop.set()
            talker.join()


def test_a_place_survives_damage(app: App) -> None:
    """What is no place counts as none; then a drain continues with what comes."""
    state = DrainState({"app.log": (7, 42), "router.log": (0, 0)}, 3, "2026-11-20T10:20:30+00:00")
    app.positions.save(TOKEN, state)
    assert app.positions.load(TOKEN) == state
    path = app.folder.parents[1] / "drains" / f"{TOKEN}.json"
    for damage in ("", "{}", "[]", '{"app.log": 1, "router.log": 2, "dropped": 0, "since": null}'):
        path.write_text(damage)
        assert app.positions.load(TOKEN) is None
    path.unlink()
    assert app.positions.load(TOKEN) is None
