"""The log process: one epoll loop over the log pipes of all instances.

The launcher creates a FIFO run/fifos/APP/LABEL@ID.fifo, which the instance itself holds open for
reading and writing, and sends it with its path in a datagram to run/log.sock. This process opens it
for both, too: so neither sees an end of file when the other restarts, and output waits in the pipe
meanwhile. A FIFO that was removed is read to its end and forgotten. In one turn a pipe is read at
most TURN_READS times, and the lines of an app above its rate are counted instead of written: a
flood costs only the app's own lines.
"""

import _socket
import os
import select
import stat
import sys
import time

from paas.entrypoints.launcher.kernel import Kernel
from paas.entrypoints.logd.files import APP_LOG, AppLog, Rotation, ask_to_reopen, utc
from paas.entrypoints.logd.lines import Bucket, stamp, tag
from paas.entrypoints.logd.pipes import Pipe, listed
from paas.entrypoints.logd.router import RouterLines

READ_BYTES = 262_144
TURN_READS = 4
TURN_S = 0.01  # the shortest turn: more lines for each wake-up
HOUSEKEEPING_S = 1.0
SCAN_S = 10.0
# ENOSPC in libc's words, and in Node.js's: how an app reports a full layer.
NO_SPACE = b"o space left on device"
DEFAULT_RATE_BYTES = 2_097_152
BURST_S = 5
_SIGKILL, _SIGTERM = 9, 15
_OPTIONS = ("run", "logs", "file-bytes", "files", "file-s", "nginx-pid", "rate-bytes", "router")


def main(arguments: "list[str]") -> int:
    """Run until SIGTERM; the options are described in logger.py."""
    options = {"rate-bytes": str(DEFAULT_RATE_BYTES), "router": ""}
    for name, value in zip(arguments[::2], arguments[1::2], strict=False):
        options[name.removeprefix("--")] = value
    if len(arguments) % 2 or set(options) != set(_OPTIONS):
        os.write(2, f"usage: logger.py {' '.join(f'--{n} VALUE' for n in _OPTIONS)}\n".encode())
        return 2
    Kernel().set_parent_death_signal(_SIGKILL)
    LogProcess(options).run()
    return 0


class LogProcess:
    """The state of the loop: pipes by descriptor, log files by app id."""

    def __init__(self, options: "dict[str, str]") -> None:
        self._fifos = os.path.join(options["run"], "fifos")
        self._logs = options["logs"]
        self._nginx_pid = options["nginx-pid"]
        self._rotation = Rotation(
            self._logs,
            file_bytes=int(options["file-bytes"]),
            files=int(options["files"]),
            file_s=int(options["file-s"]),
        )
        self._rate = int(options["rate-bytes"])
        self._pipes: dict[int, Pipe] = {}
        self._known: set[tuple[int, int]] = set()
        self._apps: dict[str, AppLog] = {}
        self._buffer = bytearray(READ_BYTES)
        self._epoll = select.epoll()
        self._scan_at = self._keep_at = 0.0
        self._stopping = False
        self._prefixes: dict[bytes, bytes] = {}
        self._stamp = b""
        raise_open_files()
        self._wake = self._catch_term()
        self._keeper = _socket.socket(
            _socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK
        )
        self._keeper_path = os.path.join(options["run"], "watch.sock")
        self._socket = self._listen(os.path.join(options["run"], "log.sock"))
        self._router = RouterLines(options["router"], self._logs) if options["router"] else None
        if self._router is not None:
            self._epoll.register(self._router.fileno(), select.EPOLLIN)

    def _catch_term(self) -> int:
        """A descriptor that becomes readable on SIGTERM."""
        signals = __import__("_signal")
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signals.set_wakeup_fd(write)
        signals.signal(_SIGTERM, self._stop)
        self._epoll.register(read, select.EPOLLIN)
        return read

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _listen(self, path: str) -> "_socket.socket":
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
        before = os.umask(0o177)
        listener.bind(path)
        os.umask(before)
        listener.setblocking(False)
        self._epoll.register(listener.fileno(), select.EPOLLIN)
        return listener

    def run(self) -> None:
        """The loop."""
        while not self._stopping:
            wait = max(self._keep_at - time.monotonic(), 0.0) if self._keep_at else 0.0
            ready = [fd for fd, _ in self._epoll.poll(wait)]
            now = time.monotonic()
            self._new_stamp()
            for fd in ready:
                if fd in self._pipes:
                    pipe = self._pipes[fd]
                    self._read(pipe, now)
                    self._apps[pipe.app].write(self._stamp)
                elif fd == self._socket.fileno():
                    self._receive()
                elif self._router is not None and fd == self._router.fileno():
                    self._router.receive()
            if now >= self._keep_at:
                self._housekeeping(now)
            for app in self._apps.values():
                app.write(self._stamp)
            if ready:
                time.sleep(TURN_S)
        self._finish()

    def _finish(self) -> None:
        """Write what has been read; what is still in the pipes waits there for the next start."""
        self._new_stamp()
        for pipe in self._pipes.values():
            self._apps[pipe.app].add(pipe.splitter.flush(self._prefix(pipe)))
            self._report_drops(pipe)
        for app in self._apps.values():
            app.write(self._stamp)

    def _new_stamp(self) -> None:
        self._prefixes.clear()
        self._stamp = stamp(time.time_ns() // 1000, utc)

    def _prefix(self, pipe: Pipe) -> bytes:
        prefix = self._prefixes.get(pipe.tag)
        if prefix is None:
            prefix = self._prefixes[pipe.tag] = b"%s app%s: " % (self._stamp, pipe.tag)
        return prefix

    def _read(self, pipe: Pipe, now: float) -> None:
        """One pipe's turn."""
        app = self._apps[pipe.app]
        for _ in range(TURN_READS):
            try:
                size = os.readv(pipe.fd, [self._buffer])
            except BlockingIOError:
                return
            pipe.fed = now
            if not pipe.full and self._buffer.find(NO_SPACE, 0, size) >= 0:
                self._report_full(pipe)
            if app.bucket.take(size, now):
                app.add(pipe.splitter.feed(bytes(self._buffer[:size]), self._prefix(pipe)))
            else:
                pipe.dropped_lines += pipe.splitter.drop(self._buffer, size)
                pipe.dropped_bytes += size
            if size < READ_BYTES:
                return

    def _report_full(self, pipe: Pipe) -> None:
        """Notify the keeper of the instance's layer, once per pipe, without waiting."""
        pipe.full = True
        try:
            self._keeper.sendto(b"full %s" % pipe.name, self._keeper_path)
        except OSError:
            pass

    def _receive(self) -> None:
        """Receive the FIFOs that launchers announce: each a path, with the open FIFO itself."""
        while True:
            try:
                message, rights, _, _ = self._socket.recvmsg(4096, 64, _socket.MSG_CMSG_CLOEXEC)
            except OSError:
                return
            directory, name = os.path.split(os.fsdecode(message))
            root, app = os.path.split(directory)
            for _level, _kind, data in rights:
                fd = int.from_bytes(data[:4], sys.byteorder)
                if root == self._fifos:  # opened again, since O_NONBLOCK is for this process only
                    self._open(app, name, f"/proc/self/fd/{fd}", 0)
                os.close(fd)

    def _scan(self) -> None:
        """Open every FIFO that is not known yet."""
        for app in listed(self._fifos):
            for name in listed(os.path.join(self._fifos, app)):
                self._open(app, name, os.path.join(self._fifos, app, name), os.O_NOFOLLOW)

    def _open(self, app: str, name: str, path: str, flags: int) -> None:
        """Open a FIFO that is not known yet, for an app id and a name LABEL@ID.fifo."""
        label, at, rest = name.partition("@")
        if not (app.isdigit() and at and rest.endswith(".fifo")):
            return
        try:
            fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | flags)
        except OSError:
            return
        status = os.fstat(fd)
        key = (status.st_dev, status.st_ino)
        if key in self._known or not stat.S_ISFIFO(status.st_mode):
            os.close(fd)
            return
        if app not in self._apps:
            self._apps[app] = self._new_app(app)
        self._apps[app].pipes += 1
        self._known.add(key)
        self._pipes[fd] = Pipe(
            fd, key, app, tag(label, rest), os.fsencode(rest.removesuffix(".fifo"))
        )
        self._epoll.register(fd, select.EPOLLIN)

    def _new_app(self, app: str) -> AppLog:
        burst = max(self._rate * BURST_S, READ_BYTES)
        return AppLog(
            os.path.join(self._logs, app, APP_LOG),
            rotation=self._rotation,
            bucket=Bucket(self._rate, burst, time.monotonic()),
        )

    def _housekeeping(self, now: float) -> None:
        """Every second: unfinished lines, removed FIFOs, files; less often: a scan, the router."""
        self._keep_at = now + HOUSEKEEPING_S
        for pipe in list(self._pipes.values()):
            if pipe.splitter.rest and now - pipe.fed >= HOUSEKEEPING_S:
                self._apps[pipe.app].add(pipe.splitter.flush(self._prefix(pipe)))
            self._report_drops(pipe)
            if os.fstat(pipe.fd).st_nlink == 0:
                self._forget(pipe, now)
        for name, app in list(self._apps.items()):
            app.check()
            if not app.pipes:
                app.write(self._stamp, create=False)
                app.close()
                del self._apps[name]
        if now >= self._scan_at:
            self._scan_at = now + SCAN_S
            self._scan()
            if self._rotation.run(int(time.time()), self._apps):
                ask_to_reopen(self._nginx_pid)

    def _report_drops(self, pipe: Pipe) -> None:
        if not pipe.dropped_lines:
            return
        self._apps[pipe.app].add(
            b"%s paas%s: %d lines (%d bytes) were dropped: more than %d bytes a second\n"
            % (
                self._stamp,
                pipe.tag,
                pipe.dropped_lines,
                pipe.dropped_bytes,
                self._rate,
            )
        )
        pipe.dropped_lines = pipe.dropped_bytes = 0

    def _forget(self, pipe: Pipe, now: float) -> None:
        """Close a FIFO that was removed, once what is in it has been read."""
        self._read(pipe, now)
        app = self._apps[pipe.app]
        app.add(pipe.splitter.flush(self._prefix(pipe)))
        self._report_drops(pipe)
        self._epoll.unregister(pipe.fd)
        os.close(pipe.fd)
        del self._pipes[pipe.fd]
        self._known.discard(pipe.key)
        app.pipes -= 1


def raise_open_files() -> None:
    """Allow as many descriptors as the hard limit does: two for each app are needed."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
