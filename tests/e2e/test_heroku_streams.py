"""Heroku's command line on a whole server with a certificate: logs, and attended processes."""

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.authority import Authority, ec_key, key_pem, pem
from tests.e2e.server import Finished, Repository, Server, installed, run
from tests.e2e.tiny import tiny
from tests.heroku_cli import installed as heroku_cli
from tests.ports import free_ports
from tests.processes import command_lines, first_of
from tests.waiting import wait_for

LIMIT_S = 120.0
NAMES = [f"{label}.apps.test" for label in ("git", "api", "localhost")]
# What the wildcard record of a real domain does.
RESOLVER = """
const dns = require("dns"), lookup = dns.lookup
dns.lookup = (name, options, done) => {
  lookup(name.endsWith(".apps.test") ? "127.0.0.1" : name, options, done)
}
"""


@dataclass
class Streams:
    """A server with an app, and what the command line needs to reach it."""

    server: Server
    port: int
    rendezvous: int
    root: Path
    env: dict[str, str]

    def heroku(self, *words: str, stdin: str = "") -> Finished:
        """The command line, to its end."""
        argv = [str(heroku_cli() / "heroku"), *words]
        return run(argv, stdin=stdin, env=self.env, check=False, timeout_s=LIMIT_S)

    def api(self, path: str, body: object) -> dict[str, str]:
        """An answer of the API."""
        text = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: api.apps.test\r\nConnection: close\r\n"
            f"Authorization: Bearer {self.env['HEROKU_API_KEY']}\r\nContent-Length: {len(text)}"
        )
        answer = self.ask(self.port, head.encode() + b"\r\n\r\n" + text)
        found: dict[str, str] = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found

    def ask(self, port: int, sent: bytes) -> bytes:
        """All that comes over TLS."""
        with self.tls(port) as line:
            line.sendall(sent)
            found = b""
            while data := line.recv(65_536):
                found += data
            return found

    def process(self) -> psutil.Process:
        """The streams process, which supervisord starts again when it has ended."""
        words = ["paas.entrypoints.streams.server", "--etc", str(self.server.root / "etc")]
        return first_of([one for one, line in command_lines().items() if line[-3:] == words])

    def tls(self, port: int) -> ssl.SSLSocket:
        """A connection."""
        context = ssl.create_default_context(cafile=str(self.root))
        plain = socket.create_connection(("127.0.0.1", port), LIMIT_S)
        return context.wrap_socket(plain, server_hostname="api.apps.test")


def listens(port: int) -> bool:
    """Whether anything does."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Streams]:
    """One for all tests of this file."""
    folder = tmp_path_factory.mktemp("tls")
    authority, key = Authority(), ec_key()
    chain, own_key, root = (folder / name for name in ("chain.pem", "key.pem", "root.pem"))
    chain.write_bytes(pem(authority.leaf(*NAMES, key=key)) + pem(authority.intermediate))
    own_key.write_bytes(key_pem(key))
    root.write_bytes(pem(authority.root))
    (folder / "resolver.js").write_text(RESOLVER)
    port, rendezvous = free_ports(2)
    settings = {
        "web": True,
        "domain": "apps.test",
        "https_port": port,
        "rendezvous_port": rendezvous,
        "web_certificate": str(chain),
        "web_certificate_key": str(own_key),
        "min_free_mib": 64,
    }
    with installed(Server.in_new_directory(settings)) as server:
        alice = server.user("alice")
        alice.push(Repository.of(folder / "work", tiny()), "shop")
        token = alice.ssh("tokens:create").stdout.strip()
        found = json.loads(alice.ssh("heroku:env", "--json").stdout)
        env = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            **found,
            "HOME": str(folder),
            "HEROKU_API_KEY": token,
            "HEROKU_HEADERS": json.dumps({"authorization": f"Bearer {token}"}),
            "NODE_EXTRA_CA_CERTS": str(root),
            "NODE_OPTIONS": f"--require {folder}/resolver.js",
            "COLUMNS": "99",
        }
        yield Streams(server, port, rendezvous, root, env)


def test_a_process_is_attended(streams: Streams) -> None:
    """It has a terminal, and its exit status comes back."""
    told = streams.heroku("run", "-a", "shop", "-x", "--", "tty; (exit 7)")
    assert told.returncode == 7, told.stdout + told.stderr
    assert "/dev/pts/" in told.stdout
    audit = streams.server.paas("audit", "-a", "shop", "--json").stdout
    assert '"command": "run"' in audit


def test_input_is_copied_to_its_end(streams: Streams) -> None:
    """Without a terminal, byte for byte."""
    told = streams.heroku("run", "-a", "shop", "--no-tty", "--", "wc -c", stdin="12345")
    assert told.returncode == 0, told.stderr
    assert told.stdout.split()[-1] == "5"


def test_a_process_in_the_background(streams: Streams) -> None:
    """Its output is in the log, which Heroku's command line shows, too."""
    told = streams.heroku("run:detached", "-a", "shop", "--", "echo from-$DYNO")
    assert told.returncode == 0, told.stderr

    def logged() -> str:
        return streams.server.paas("logs", "shop", "-n", "50").stdout

    wait_for(lambda: "from-run." in logged(), what="the output")
    shown = streams.heroku("logs", "-a", "shop", "-n", "50")
    assert shown.returncode == 0, shown.stderr
    assert "]: from-run." in shown.stdout
    assert "heroku[" in shown.stdout


def test_new_lines_are_followed(streams: Streams) -> None:
    """As they come; a stream that breaks continues behind its last line."""
    argv = [str(heroku_cli() / "heroku"), "logs", "-a", "shop", "--tail", "-n", "1"]
    with subprocess.Popen(argv, env=streams.env, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        try:
            assert follower.stdout.readline()
            seen: list[str] = []
            for name in ("first", "second"):
                streams.server.paas("run", "shop", "true", name)
                while not seen or f"true {name}" not in seen[-1]:
                    seen.append(follower.stdout.readline())
                    assert seen[-1]
                if name == "first":
                    streams.process().terminate()
            assert len(seen) == len(set(seen))
        finally:
            follower.kill()


def test_secrets(streams: Streams) -> None:
    """Of a process it is good once; of a log as long as it is used. Others open nothing."""
    dyno = streams.api("/apps/shop/dynos", {"command": "cat", "attach": True})
    secret = dyno["attach_url"].rpartition("/")[2]
    wait_for(lambda: listens(streams.rendezvous))
    with streams.tls(streams.rendezvous) as line:
        line.sendall(secret.encode())
        assert line.recv(100) == b"rendezvous\r\n"
        line.sendall(b"hello\r")
        said = b""
        while b"hello\r\nhello\r\n" not in said:
            said += line.recv(100)
        assert streams.ask(streams.rendezvous, secret.encode() + b"\r\n") == b""
    wait_for(lambda: "run." not in streams.server.paas("run:list", "-a", "shop").stdout)
    assert streams.ask(streams.rendezvous, b"x" * 43 + b"\r\n") == b""

    opened = streams.api("/apps/shop/log-sessions", {"lines": 2, "tail": False})
    path = opened["logplex_url"].partition(f":{streams.port}")[2]
    request = f"GET {path} HTTP/1.1\r\nHost: api.apps.test\r\nConnection: close\r\n"
    plain = streams.ask(streams.port, f"{request}\r\n".encode())
    assert plain.startswith(b"HTTP/1.1 200 ")
    events = streams.ask(streams.port, f"{request}Accept: text/event-stream\r\n\r\n".encode())
    assert b"Content-Type: text/event-stream\r\n" in events
    ids = [line[4:] for line in events.split(b"\n") if line.startswith(b"id: ")]
    assert len(ids) == 2
    more = f"{request}Accept: text/event-stream\r\nLast-Event-ID: {ids[0].decode()}\r\n\r\n"
    assert streams.ask(streams.port, more.encode()).count(b"data: ") == 1
    wrong = request.replace(path[-5:], "xxxxx")
    assert streams.ask(streams.port, f"{wrong}\r\n".encode()).startswith(b"HTTP/1.1 404 ")
