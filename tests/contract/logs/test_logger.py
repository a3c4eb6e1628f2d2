"""The log process, for real: FIFOs go in, log files come out."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paas.entrypoints.logd.process import BURST_S, READ_BYTES
from tests.contract.launcher.launching import Launcher
from tests.contract.logs.log_server import LOGGER, Logger
from tests.waiting import wait_for

DROPPED = r"paas\[web\.1\] v1: (\d+) lines"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[Logger]:
    """A log process, not started yet."""
    made = Logger(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop(signal.SIGKILL)


@pytest.fixture
def opened() -> Iterator[Callable[[Path], int]]:
    """Opens FIFOs as instances hold them; closed at the end."""
    fds: list[int] = []

    def open_it(path: Path) -> int:
        fds.append(os.open(path, os.O_RDWR))
        return fds[-1]

    yield open_it
    for fd in fds:
        os.close(fd)


Opened = Callable[[Path], int]


def test_lines_are_stamped_and_tagged(logger: Logger, opened: Opened) -> None:
    """A FIFO that is announced is read; its lines carry time and tag."""
    logger.start()
    path = logger.fifo(12)
    fd = opened(path)
    logger.announce(path)
    os.write(fd, b"hello\n\x1b[2Jworld\n")
    wait_for(lambda: logger.log(12).count("\n") == 2)
    first, second = logger.log(12).splitlines()
    assert re.fullmatch(STAMP + r" app\[web\.1\] v1: hello", first)
    assert second.endswith(r" app[web.1] v1: \x1b[2Jworld")


@pytest.mark.parametrize(
    "words", [b"OSError: [Errno 28] No space left on device", b"ENOSPC: no space left on device"]
)
def test_who_says_that_there_is_no_space_is_named(
    logger: Logger, opened: Opened, words: bytes
) -> None:
    """To who knows the instance's layer, once."""
    logger.start()
    path = logger.fifo(12)
    fd = opened(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as keeper:
        keeper.bind(str(path.parents[2] / "watch.sock"))
        keeper.settimeout(150)
        logger.announce(path)
        os.write(fd, b"fine\n")
        wait_for(lambda: "fine" in logger.log(12))
        for _ in range(2):
            os.write(fd, b"x" * 5000 + words + b"\nlater\n")
            wait_for(lambda: "later" in logger.log(12))
        name = path.name.partition("@")[2].removesuffix(".fifo")
        assert keeper.recv(100) == b"full " + name.encode()
        os.write(fd, words + b"\nlast\n")
        wait_for(lambda: "last" in logger.log(12))
        keeper.settimeout(0.1)
        with pytest.raises(TimeoutError):
            keeper.recv(100)


def test_a_launched_instance_is_heard(logger: Logger, tmp_path: Path) -> None:
    """The launcher's own FIFO is found at once, and its lines and the app's are in one file."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    logger.start()
    launcher = Launcher(tmp_path / "paas")
    launcher.run(
        *("/bin/bash", "-c", "echo out; echo err > /dev/stderr"),
        log_fifo=str(tmp_path / "run" / "fifos" / "4" / "web.1@4-v1-1-web.1.fifo"),
        app_log=str(tmp_path / "logs" / "4" / "app.log"),
        crash_file=str(tmp_path / "run" / "crash.json"),
    )
    wait_for(lambda: logger.log(4).count("\n") == 3)
    assert [line.split(" ", 1)[1] for line in logger.log(4).splitlines()] == [
        "paas[web.1] v1: State changed from down to starting",
        "app[web.1] v1: out",
        "app[web.1] v1: err",
    ]


def test_what_was_printed_while_it_was_away_is_read(logger: Logger, opened: Opened) -> None:
    """A killed log process neither blocks nor kills an instance, and its successor catches up."""
    fd = opened(logger.fifo(1))
    os.write(fd, b"before\n")
    logger.start()
    wait_for(lambda: "before" in logger.log(1))
    logger.stop(signal.SIGKILL)
    os.write(fd, b"meanwhile\n")
    logger.start()
    wait_for(lambda: "meanwhile" in logger.log(1))
    os.write(fd, b"unfinished")
    wait_for(lambda: "unfinished\n" in logger.log(1))
    assert logger.stop() == 0


def test_a_removed_fifo_is_read_to_its_end(logger: Logger, opened: Opened) -> None:
    """The last words of a stopped instance are kept, and its descriptor is closed."""
    path = logger.fifo(1)
    fd = opened(path)
    logger.start()
    wait_for(lambda: str(path) in open_files(logger))
    os.write(fd, b"last words")
    path.unlink()
    wait_for(lambda: "last words\n" in logger.log(1))
    wait_for(lambda: not any("fifo" in name for name in open_files(logger)))


def open_files(logger: Logger) -> list[str]:
    """What the log process has open."""
    assert logger.process is not None
    found = []
    for link in Path(f"/proc/{logger.process.pid}/fd").iterdir():
        try:
            found.append(str(link.readlink()))
        except FileNotFoundError:
            continue
    return found


def test_files_are_rotated(logger: Logger, opened: Opened) -> None:
    """At the size limit app.log becomes app.log.1 and so on; only so many are kept."""
    fd = opened(logger.fifo(1))
    logger.start(file_bytes="20000")
    for number in range(40):
        os.write(fd, b"%04d " % number * 500 + b"\n")
        wait_for(lambda n=number: seen(logger, n))  # type: ignore[misc]
    assert logger.stop() == 0
    names = sorted(p.name for p in (logger.root / "logs" / "1").iterdir())
    assert names == ["app.log.1", "app.log.2"] or names == ["app.log", "app.log.1", "app.log.2"]


def seen(logger: Logger, number: int) -> bool:
    """Whether that line is in the newest or the rotated file."""
    return any(f"{number:04d} " in logger.log(1, name) for name in ("app.log", "app.log.1"))


def test_a_flood_is_capped_and_its_neighbour_is_heard(logger: Logger, opened: Opened) -> None:
    """Lines above the rate are counted, the writer is not blocked, others are not delayed."""
    flood, calm = opened(logger.fifo(1)), opened(logger.fifo(2))
    logger.start(rate_bytes="20000", file_bytes="100000000")
    sent, heard, began = 0, 0, time.monotonic()

    def is_heard_in_the_flood() -> bool:
        nonlocal sent
        for _ in range(500):
            sent += os.write(flood, b"x" * 99 + b"\n")
        return f"line {heard}." in logger.log(2)

    while heard < 20 or not re.search(DROPPED, logger.log(1)):
        os.write(calm, b"line %d.\n" % heard)
        wait_for(is_heard_in_the_flood)
        heard += 1
    wait_for(lambda: counted(logger) == sent // 100)
    # What the rate allows, and as much again at the beginning.
    allowed = 20_000 * (time.monotonic() - began) + max(20_000 * BURST_S, READ_BYTES)
    assert 100 * logger.log(1).count("app[web.1]") <= allowed


def _unread(fd: int) -> int:
    """The bytes that are in a pipe."""
    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, bytes(4)), sys.byteorder)


def counted(logger: Logger) -> int:
    """Written and dropped lines of app 1 together."""
    text = logger.log(1)
    dropped = sum(map(int, re.findall(DROPPED, text)))
    return text.count("app[web.1]") + dropped


def test_a_full_disk_is_survived(logger: Logger, opened: Opened, tmp_path: Path) -> None:
    """Without space lines are lost and counted; with space again the log says how many."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a small tmpfs")
    small = tmp_path / "logs"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "paas", small], check=True)
    try:
        fd = opened(logger.fifo(1))
        (small / "filler").write_bytes(b"x" * 60_000)
        logger.start()
        os.write(fd, (b"x" * 99 + b"\n") * 200)
        wait_for(lambda: (small / "1" / "app.log").exists())
        # By the time that the second is read the log process has tried to write the first.
        for _ in range(2):
            wait_for(lambda: _unread(fd) == 0)
            os.write(fd, b"more\n")
        (small / "filler").unlink()
        os.write(fd, b"space again\n")
        wait_for(lambda: "space again" in logger.log(1))
        assert re.search(r"paas\[log\]: \d+ lines were lost: ", logger.log(1))
        logger.stop(signal.SIGKILL)
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_deleted_directory_is_survived(logger: Logger, opened: Opened) -> None:
    """The directory of an app whose FIFO is still there is made again."""
    fd = opened(logger.fifo(1))
    logger.start()
    os.write(fd, b"one\n")
    wait_for(lambda: "one" in logger.log(1))
    (logger.root / "logs" / "1" / "app.log").unlink()
    (logger.root / "logs" / "1").rmdir()

    def again() -> bool:
        os.write(fd, b"two\n")
        return "two" in logger.log(1)

    wait_for(again)


def test_router_log_is_rotated_and_nginx_told(logger: Logger) -> None:
    """A large router.log is renamed, and the master of Nginx gets USR1; no other program does."""
    directory = logger.root / "logs" / "7"
    directory.mkdir(parents=True)
    (directory / "router.log").write_bytes(b"x" * 2_000)
    script = "$0 = 'nginx'; $SIG{USR1} = sub { print 'reopened'; exit }; $| = 1; print qq(1\n);"
    with subprocess.Popen(
        ["perl", "-e", script + "sleep 20 while 1"], stdout=subprocess.PIPE
    ) as nginx:
        assert nginx.stdout is not None
        nginx.stdout.readline()
        (logger.root / "nginx.pid").write_text(f"{nginx.pid}\n")
        logger.start(file_bytes="1000")
        assert nginx.stdout.read() == b"reopened"
    assert (directory / "router.log.1").stat().st_size == 2_000
    assert not (directory / "router.log").exists()


def test_old_files_are_rotated_and_removed(logger: Logger, opened: Opened) -> None:
    """By the age of the first line, of the app's log and the router's; what is oldest goes."""
    fd = opened(logger.fifo(1))
    old, new = "2020-01-01T00:00:00.000000+00:00", "2999-01-01T00:00:00.000000+00:00"
    for app, app_stamp, router_stamp in (("1", old, "1577836800.1"), ("2", new, "32472144000.1")):
        directory = logger.root / "logs" / app
        directory.mkdir()
        (directory / "app.log").write_text(f"{app_stamp} app[web.1]: first\n")
        (directory / "router.log").write_text(f"{router_stamp} router: first\n")
    ancient = logger.root / "logs" / "2" / "app.log.2"
    ancient.write_text("x\n")
    os.utime(ancient, (0, 0))
    logger.start(file_s="86400")
    os.write(fd, b"today\n")
    wait_for(lambda: "today" in logger.log(1))
    wait_for(lambda: not ancient.exists())
    assert "first" not in logger.log(1)
    assert "first" in logger.log(1, "app.log.1")
    wait_for(lambda: "first" in logger.log(1, "router.log.1"))
    assert "first" in logger.log(2)
    assert "first" in logger.log(2, "router.log")


def test_foreign_paths_are_not_opened(logger: Logger, tmp_path: Path) -> None:
    """Only FIFOs below run/fifos are taken."""
    logger.start()
    (tmp_path / "plain@x.fifo").write_text("plain\n")
    logger.announce(tmp_path / "plain@x.fifo")
    (logger.root / "run" / "fifos").mkdir()
    os.mkfifo(logger.root / "run" / "x@y.fifo")
    logger.announce(logger.root / "run" / "fifos" / ".." / "x@y.fifo")
    logger.announce(logger.fifo(3))
    wait_for(lambda: any("fifos/3" in name for name in open_files(logger)))
    assert not any("plain@x" in name or "x@y" in name for name in open_files(logger))


def test_it_is_small(logger: Logger) -> None:
    """The log process of a server takes under 12 MB."""
    for app in range(50):
        logger.fifo(app)
    logger.start()
    assert logger.process is not None
    wait_for(lambda: len(open_files(logger)) > 50)
    status = Path(f"/proc/{logger.process.pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss: +(\d+) kB", status, re.MULTILINE)
    assert found is not None
    assert int(found[1]) < 12_000


def test_wrong_arguments_are_refused() -> None:
    """A missing option is a usage error."""
    result = subprocess.run(
        ["/usr/bin/python3", "-I", "-S", str(LOGGER), "--run", "/x"],
        capture_output=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith(b"usage: ")
