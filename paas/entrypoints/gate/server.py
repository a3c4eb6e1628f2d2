"""The gate: the one small root process that every entrance of the server leads to.

It has everything imported, accepts a client on a Unix socket, asks the kernel for its uid, forks,
and lets the child (child.py) read the request and run the command. The accept loop reads no byte
from clients. Its children are separate sessions and get no parent-death signal: if the gate is
stopped or restarted, a deploy in progress finishes, holding its locks.
"""

import errno
import gc
import os
import pwd
import select
import signal
import socket
import stat
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from paas import settings as server_settings
from paas.domain.server.findings import REPAIR_COMMAND
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons import listening
from paas.entrypoints.daemons.supervised import end_with_parent, named_etc
from paas.entrypoints.failure import rendered
from paas.entrypoints.gate import child, wire
from paas.entrypoints.gate.child import Handler, Slot
from paas.entrypoints.gate.slots import Slots
from paas.entrypoints.gate.web import WebDoor
from paas.settings import Settings

MAX_CHILDREN = 128
_MAX_SOCKET_PATH_BYTES = 107
_UCRED = struct.Struct("3i")
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class Gate:
    """Accepts clients and forks. account_uid: the uid that may speak for users, besides root.

    repair: the argv of the command that repairs the server after a child was killed.
    max_children: how many commands may run at once; see Slots. is_admin: whether a user is one.
    web: where the web process comes in; None if the server has none.
    """

    def __init__(
        self,
        listener: socket.socket,
        handler: Handler,
        *,
        account_uid: int,
        log: Callable[[str], None],
        repair: tuple[str, ...] = (),
        max_children: int = MAX_CHILDREN,
        is_admin: Callable[[str], bool] = lambda _: False,
        web: WebDoor | None = None,
    ) -> None:
        self._listener = listener
        self._web = web
        self._listeners = [listener, *([web.listener] if web is not None else [])]
        self._handler = handler
        self._account_uid = account_uid
        self._log = log
        self._repair = repair
        self._repairing: set[int] = set()
        self._slots = Slots(max_children)
        self._is_admin = is_admin
        # By pid: the row of the table, if it has one.
        self._children: dict[int, int | None] = {}
        self._stopping = False
        self._wake: tuple[int, ...] = ()

    def serve(self) -> None:
        """Serve until SIGTERM. Clients that already wait still get a child; none is killed."""
        wake_r, wake_w = self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        gc.collect()
        gc.freeze()
        poll = select.poll()
        for listener in self._listeners:
            listener.setblocking(False)
            poll.register(listener, select.POLLIN)
        poll.register(wake_r, select.POLLIN)
        while not self._stopping:
            ready = [fd for fd, _ in poll.poll()]
            if wake_r in ready:
                os.read(wake_r, 4096)
            self._reap()
            for listener in self._listeners:
                if listener.fileno() in ready:
                    self._accept_all(listener)
        for listener in self._listeners:
            self._accept_all(listener)
            listener.close()

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                pid = 0
                for gone in list(self._children):
                    self._forget(gone)
            if pid == 0:
                return
            self._forget(pid)
            if os.WIFSIGNALED(status):
                self._log(f"child {pid} was ended by signal {os.WTERMSIG(status)}")
                self._start_repair(pid)
            self._repairing.discard(pid)

    def _start_repair(self, pid: int) -> None:
        """Start a separate program that undoes what a killed child left half done."""
        if self._repair and pid not in self._repairing:
            repairer = os.posix_spawn(self._repair[0], self._repair, os.environ)
            self._repairing.add(repairer)
            self._children[repairer] = None

    def _forget(self, pid: int) -> None:
        row = self._children.pop(pid, None)
        if row is not None:
            self._slots.free(row)

    def _accept_all(self, listener: socket.socket) -> None:
        web = self._web if listener is not self._listener else None
        while True:
            try:
                conn, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._log(f"accept: {error}")
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    time.sleep(0.1)
                return
            with conn:
                self._admit(conn, web)

    def _admit(self, conn: socket.socket, web: WebDoor | None) -> None:
        """web: the door that the client came in by, if it is that of the web process."""
        uid = _UCRED.unpack(
            conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size),
        )[1]
        if uid not in ((0, self._account_uid) if web is None else (web.uid,)):
            self._log(f"uid {uid} was refused")
            return
        self._reap()
        is_operator = uid == 0 and web is None
        row = None if is_operator else self._slots.take()
        if row is None and not is_operator:
            wire.answer_busy(conn)
            return
        # No signal may arrive in the child before it has its own session.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for fd in (*(one.detach() for one in self._listeners), *self._wake):
                    os.close(fd)
                slot = None if row is None else Slot(self._slots, row, self._is_admin)
                if web is not None and slot is not None:
                    web.serve(conn, slot, self._log)
                child.serve(conn, self._handler, slot=slot, log=self._log)
            self._children[pid] = row
        except OSError as error:
            if row is not None:
                self._slots.free(row)
            self._log(f"fork: {error}")
            wire.answer_busy(conn)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def listen(path: Path, *, gid: int) -> socket.socket:
    """Listen on path, mode 0660 root:gid. Raises PaasError if another gate answers there."""
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH_BYTES:
        raise PaasError(
            "socket-path",
            f"{path} is too long for a Unix socket: the limit is {_MAX_SOCKET_PATH_BYTES} bytes.",
        )
    _clear(path)
    return listening.listen(path, gid)


def _clear(path: Path) -> None:
    """Remove the socket file of a gate that is gone."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise PaasError("socket-path", f"{path} is in the way: it is not a socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise PaasError("gate-running", f"Another gate answers on {path}.")


def stderr_log() -> Callable[[str], None]:
    """A log on the current stderr, which stays open when a child gets its client's stderr."""
    fd = os.dup(2)

    def log(text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        os.write(fd, "".join(f"{stamp} {line}\n" for line in text.splitlines()).encode())

    return log


def _web_door(settings: Settings, account: pwd.struct_passwd) -> WebDoor:
    """Where the web process comes in, at a socket of its own: it sees no other of ours."""
    from paas.entrypoints.cli.hooks import delivered_by
    from paas.entrypoints.cli.web import admitted_by, streams_of, uploads_of

    uid = settings.web_uid
    listener = listen(settings.paths.web_gate_socket, gid=uid)
    etc = str(settings.etc)
    return WebDoor(
        listener,
        uid,
        account,
        admitted_by(etc),
        streams_of(etc),
        delivered_by(etc),
        uploads_of(etc),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the gate of the server whose settings are in ETC/server.yml."""
    etc = named_etc(argv)
    try:
        settings = server_settings.load(etc / "server.yml")
        account = pwd.getpwnam(settings.account)
        listener = listen(settings.paths.gate_socket, gid=account.pw_gid)
    except PaasError as error:
        sys.stderr.write(rendered(error))
        return error.exit_code
    end_with_parent()
    os.umask(0o022)
    log = stderr_log()
    python = (sys.executable, "-I", "-m", "paas.entrypoints.cli", "--etc", str(etc))
    gate = Gate(
        listener,
        child.commands(etc),
        account_uid=account.pw_uid,
        log=log,
        repair=(*python, REPAIR_COMMAND),
        is_admin=child.administrators(etc),
        web=_web_door(settings, account) if settings.web else None,
    )
    log(f"listening on {settings.paths.gate_socket}")
    gate.serve()
    log("stopped")
    return 0
