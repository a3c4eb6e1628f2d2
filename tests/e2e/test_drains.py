"""paas drains: the log of a running app, forwarded to receivers that the tests make."""

import contextlib
import json
from collections.abc import Iterator

import psutil
import pytest

from tests.contract.logs.drain_server import HttpReceiver, SyslogReceiver, make_certificate
from tests.e2e.probe import App
from tests.e2e.server import Server, run
from tests.e2e.tiny import app_id
from tests.waiting import wait_for


@pytest.fixture
def drained(probe: App) -> Iterator[App]:
    """The probe, without drains at the end."""
    yield probe
    for drain in json.loads(probe.paas("drains", "--json")):
        probe.paas("drains:remove", drain["token"])


def drains_state(server: Server) -> str:
    """What server:status says of the process."""
    status = server.paas("server:status").stdout.splitlines()
    return next((line.split()[1] for line in status if line.startswith("drains:")), "")


def test_syslog_and_http_get_the_log(server: Server, drained: App) -> None:
    """Lines of the app, the platform and the router; the process runs only meanwhile."""
    wait_for(lambda: drains_state(server) == "", what="no process")
    syslog, web = SyslogReceiver(), HttpReceiver()
    with contextlib.closing(syslog), contextlib.closing(web):
        drained.paas("drains:add", f"syslog://127.0.0.1:{syslog.port}")
        drained.paas("drains:add", f"http://key:word@127.0.0.1:{web.port}/in?token=hidden")
        assert drains_state(server) in ("STARTING", "RUNNING")
        drained.post("/out", "to the drains\n")
        drained.server.get(drained.name, "/routed")
        wait_for(lambda: "to the drains" in syslog.texts(), what="the line by syslog")
        wait_for(lambda: b"app web.1 - to the drains" in web.bodies(), what="the line by HTTP")
        wait_for(lambda: b"paas router - method=GET" in web.bodies(), what="the request")
        assert syslog.frames[0].split(b" ")[2] == b"probe"
        shown = drained.paas("drains")
        assert f"http://****@127.0.0.1:{web.port}/****" in shown
        assert "hidden" not in shown
        for drain in json.loads(drained.paas("drains", "--json")):
            drained.paas("drains:remove", drain["token"])
    wait_for(lambda: drains_state(server) == "", what="the end of the process")


def test_a_dead_drain_and_a_false_certificate(
    server: Server, drained: App, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither holds up the other drain nor the log, and the log says what is wrong."""
    context, _ = make_certificate(tmp_path_factory.mktemp("tls"))
    false, dead, good = SyslogReceiver(context), SyslogReceiver(), SyslogReceiver()
    dead.close()
    with contextlib.closing(false), contextlib.closing(good):
        for url in (f"syslog+tls://localhost:{false.port}", f"syslog://127.0.0.1:{dead.port}"):
            drained.paas("drains:add", url)
        drained.paas("drains:add", f"syslog://127.0.0.1:{good.port}")
        drained.post("/out", "to whom it may concern\n")
        wait_for(lambda: "to whom it may concern" in good.texts(), what="the line")
        drained.await_log(r"paas\[drains\]: .* Error L14 \(certificate validation error\)")
        drained.await_log(r"paas\[drains\]: .* accepts no messages: Connection refused")
        assert false.frames == []


def test_who_sends_reads_nothing(server: Server, drained: App) -> None:
    """Its uid opens no file of the platform's or an app's, and is not heard by the gate."""
    with contextlib.closing(SyslogReceiver()) as syslog:
        drained.paas("drains:add", f"syslog://127.0.0.1:{syslog.port}")
        drained.post("/out", "before the look\n")
        wait_for(lambda: "before the look" in syslog.texts(), what="the line")
        rows = json.loads(server.paas("server:status", "--json").stdout)["processes"]
        (pid,) = [row["pid"] for row in rows if row["name"] == "drains"]
        (sender,) = psutil.Process(pid).children()
        wait_for(
            lambda: {c.raddr.port for c in sender.net_connections("inet")} == {syslog.port},
            what="that connection alone",
        )
        uid = str(sender.uids().real)
        became = ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--no-new-privs"]
        logs = server.state / "logs" / str(app_id(server, drained.name))
        closed = [server.state / "state.db", logs / "app.log", logs / "router.log"]
        closed += [
            *(server.state / "drains").iterdir(),
            *(server.root / "etc").glob("ssh_host_*_key"),
        ]
        assert len(closed) > 4
        for path in closed:
            assert path.is_file()
            assert run([*became, "test", "-r", str(path)], check=False).returncode == 1
        gate = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        asked = [*became, "/usr/bin/python3", "-c", gate, str(server.run / "gate.sock")]
        assert "PermissionError" in run(asked, check=False).stderr


def test_the_server_itself_is_closed(strict: Server) -> None:
    """Where the setting does not open it: no drain leads to what only the server reaches."""
    strict.paas("apps:create", "inward")
    for url in ("http://127.0.0.1/", "http://169.254.169.254/latest", "syslog://[::1]"):
        refused = strict.paas("drains:add", url, "-a", "inward", check=False)
        assert refused.returncode == 2
        assert "A drain cannot send to" in refused.stderr
    strict.paas("apps:destroy", "inward", "--confirm", "inward")
