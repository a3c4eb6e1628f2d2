"""The crowd's programs under a hand-configured supervisord."""

import time
from pathlib import Path

from benchmarks.commands import Daemon, wait_until
from benchmarks.plain.app import USER
from benchmarks.server import Server
from tests.ports import free_ports

LIMIT_S = 600.0
CONF = """\
[supervisord]
nodaemon=true
user=root
logfile={room}/supervisord.log
pidfile={room}/supervisord.pid
"""
PROGRAM = """
[program:app-{number}]
command=perl {script}
environment=PORT="{port}"
user={user}
redirect_stderr=true
stdout_logfile={room}/app-{number}.log
"""


class PlainCrowd:
    """That many programs, which run the script of the server's own crowd."""

    def __init__(self, server: Server, room: Path, count: int) -> None:
        self._python = server.python
        self._room = room
        self._ports = free_ports(count)
        script = room / "serve.pl"
        script.write_bytes(next((server.root / "var/slugs").glob("*-crowd/serve.pl")).read_bytes())
        script.chmod(0o644)
        programs = [
            PROGRAM.format(number=number, script=script, port=port, user=USER, room=room)
            for number, port in enumerate(self._ports)
        ]
        (room / "supervisord.conf").write_text(CONF.format(room=room) + "".join(programs))

    def start_s(self) -> float:
        """From its start until every program listens; then it is stopped."""
        conf = self._room / "supervisord.conf"
        argv: list[str | Path] = [self._python, "-I", "-m", "supervisor.supervisord", "-c", conf]
        started = time.monotonic()
        with Daemon(argv, self._room / "supervisord.out") as supervisor:
            try:
                wanted = set(self._ports)
                wait_until(lambda: wanted <= listening(), LIMIT_S, "a plain crowd", 0.05)
                return time.monotonic() - started
            finally:
                # With so many programs supervisord takes too long to stop, and is killed.
                supervisor.kill_with_children()


def listening() -> set[int]:
    """The ports of this machine on which something listens (proc(5): 0A is LISTEN)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A"}
