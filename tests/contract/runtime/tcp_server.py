"""A workload to try runtimes with: a TCP server that answers each request with its value."""

import socket
from contextlib import suppress
from pathlib import Path

from paas.domain.releases.launch_spec import Bind
from paas.domain.runtime.workloads import Limits, Workload
from paas.domain.values.secret import Secret
from tests.ports import free_port
from tests.uids import free_uid

UID = free_uid()
MEMORY_MIB = 64
PORT = free_port()
DATA = "/home/data"
GREETING = "100% %(x)s\n[program:x]"
# Each request is Python, and the answer is its value.
SERVER = f"""\
import os, socket, sys
with socket.create_server((sys.argv[1], {PORT})) as server:
    while True:
        connection, _ = server.accept()
        with connection:
            connection.sendall(repr(eval(connection.recv(1000))).encode())
"""
LIMITS = Limits(memory_mib=MEMORY_MIB, processes=20, open_files=512, scratch_mib=16)


def a_server(data: Path) -> Workload:
    """One that keeps its data in a directory of the host, as a datastore does."""
    return Workload(
        group="server-3",
        label="tcp.1",
        uid=UID,
        argv=("/usr/bin/python3", "-c", SERVER, "127.0.0.1"),
        env={"PATH": Secret("/usr/bin:/bin"), "GREETING": Secret(GREETING)},
        binds=(Bind(str(data), DATA, writable=True),),
        limits=LIMITS,
        ports=(PORT,),
    )


def ask(workload: Workload, question: str) -> str:
    """What the server answers; empty if it ends first."""
    with socket.create_connection((workload.address, PORT), 60) as connection:
        connection.sendall(question.encode())
        with suppress(ConnectionResetError):
            return connection.recv(10_000).decode()
    return ""
