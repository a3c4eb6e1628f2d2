"""A server whose proxy is HAProxy: deploys and reboots as with nginx, and back."""

import json
import socket
from collections.abc import Callable

from tests.e2e.conftest import Source
from tests.e2e.server import Repository, Server
from tests.e2e.test_zero_downtime import MARK, load
from tests.e2e.tiny import tiny
from tests.ports import free_port
from tests.waiting import wait_for


def answer(port: int) -> str:
    """What the app answers at a TCP port; nothing where the connection is closed or refused."""
    try:
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    except ConnectionError:
        return ""


def test_a_server_is_served_by_haproxy_and_by_nginx_again(
    new_server: Callable[..., Server], repository: Callable[[Source], Repository]
) -> None:
    """Nothing is lost in a restart and a scaling; all comes up again, a TCP port among it."""
    server = new_server()
    alice = server.user("alice")
    alice.push(repository(tiny(MARK)), MARK)
    assert "All apps are served by haproxy" in server.paas("proxy:set", "haproxy").stderr
    assert server.paas("proxy").stdout == "haproxy\n"
    assert "haproxy" in server.paas("server:status").stdout
    with load(server) as outcomes:
        server.paas("ps:restart", "-a", MARK)
        server.paas("ps:scale", "-a", MARK, "web=2")
    assert set(outcomes.fresh) == {"ok"}
    server.get(MARK, "/logged?by=haproxy")
    logged = 'method=GET path="/logged?by=haproxy"'
    wait_for(lambda: logged in server.paas("logs", "-a", MARK).stdout, what="the line of a request")
    server.paas("maintenance:on", "-a", MARK)
    assert server.get(MARK).status == 503
    server.paas("maintenance:off", "-a", MARK)
    port = free_port()
    with (server.root / "etc/server.yml").open("a") as settings:
        settings.write(f"tcp_ports: [{port}, {port}]\n")
    server.paas("server:stop")
    server.paas("server:start")
    server.await_answer(MARK)
    log = server.root / "var/logs/boot.log"
    wait_for(lambda: "reconciled: 0 repaired" in log.read_text(), what="the end of the boot")
    assert "HAProxy is not running" not in log.read_text()
    server.paas("ports:add", f"{port}:tcp", "-a", MARK)
    assert json.loads(server.paas("ports", "-a", MARK, "--json").stdout) == [
        {"port": port, "protocol": "tcp", "process": "web", "fault": None}
    ]
    assert answer(port).endswith(MARK)
    server.install()
    assert answer(port).endswith(MARK)
    server.paas("maintenance:on", "-a", MARK)
    assert answer(port) == ""
    server.paas("maintenance:off", "-a", MARK)
    server.paas("ports:remove", f"{port}:tcp", "-a", MARK)
    assert answer(port) == ""
    assert server.paas("proxy").stdout == "haproxy\n"
    assert server.get(MARK).status == 200
    server.paas("proxy:set", "nginx")
    assert server.get(MARK).status == 200
    wait_for(
        lambda: server.paas("doctor", "--fix", check=False).returncode == 0,
        what="a server without problems",
    )
