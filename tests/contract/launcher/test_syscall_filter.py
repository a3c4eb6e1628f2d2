"""The filter of system calls, for real: what an app may not ask the kernel for, and what it may."""

import errno
import os
import textwrap
from pathlib import Path

import pytest

from paas.adapters.runtime.native import syscall_filter
from tests.contract.launcher.launching import Launcher

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

# Numbers on x86_64 and aarch64 that are the same on both, or by machine.
CALLS = {
    "x86_64": {"userfaultfd": 323, "keyctl": 250, "add_key": 248, "bpf": 321, "mount": 165},
    "aarch64": {"userfaultfd": 282, "keyctl": 219, "add_key": 217, "bpf": 280, "mount": 40},
}[os.uname().machine]
IO_URING_SETUP, CLONE3, PIDFD_GETFD = 425, 435, 438
CLONE_NEWUSER = 0x1000_0000


class Filtered:
    """Launches Python code as an app does, with a filter."""

    def __init__(self, launcher: Launcher, code: bytes) -> None:
        self._launcher = launcher
        self._filter = launcher.root / "run" / "filter"
        self._filter.write_bytes(code)

    def python(self, code: str, *, separate: bool = False) -> str:
        """What the code prints, without the last newline."""
        argv = ("/usr/bin/python3", "-c", textwrap.dedent(code))
        changes = {"syscall_filter": str(self._filter), "separate": separate}
        done = self._launcher.run(*argv, **changes)
        assert done.returncode == 0, done
        return done.stdout.decode().rstrip("\n")

    def call(self, number: int, *arguments: int) -> str:
        """The name of the error that a system call ends with; ``0`` for none."""
        return self.python(
            f"""
            import ctypes, errno
            libc = ctypes.CDLL(None, use_errno=True)
            result = libc.syscall({number}, *{arguments!r})
            print(0 if result >= 0 else errno.errorcode[ctypes.get_errno()])
            """
        )

    def socket(self, *arguments: int) -> str:
        """The name of the error that socket() ends with; ``0`` for none."""
        return self.python(
            f"""
            import errno, socket
            try:
                socket.socket(*{arguments!r})
                print(0)
            except OSError as error:
                print(errno.errorcode[error.errno])
            """
        )


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Launcher:
    """A platform directory."""
    return Launcher(tmp_path_factory.mktemp("filter") / "paas")


@pytest.fixture(scope="module")
def app(launcher: Launcher) -> Filtered:
    """An app with the usual filter."""
    return Filtered(launcher, syscall_filter.compiled())


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Filtered:
    """An app whose user namespaces are switched on."""
    launcher = Launcher(tmp_path_factory.mktemp("trusted") / "paas")
    return Filtered(launcher, syscall_filter.compiled(user_namespaces=True))


@pytest.mark.parametrize("name", CALLS)
def test_rarely_used_parts_of_the_kernel(app: Filtered, name: str) -> None:
    """They are refused as if the app had no right to them."""
    assert app.call(CALLS[name], 0, 0, 0, 0, 0) == "EPERM"


@pytest.mark.parametrize(
    ("number", "answer"),
    [(IO_URING_SETUP, "ENOSYS"), (CLONE3, "ENOSYS"), (PIDFD_GETFD, "EPERM"), (1000, "ENOSYS")],
)
def test_newer_calls(app: Filtered, number: int, answer: str) -> None:
    """Programs take ENOSYS as a reason to do it in another way."""
    assert app.call(number, 0, 0, 0) == answer


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ((43, 1, 0), "EAFNOSUPPORT"),  # SMC
        ((2, 1, 256), "EPROTONOSUPPORT"),  # SMC as a protocol of IPv4
        ((10, 1, 256), "EPROTONOSUPPORT"),
        ((2, 1, 262), "EPROTONOSUPPORT"),  # MPTCP
        ((2, 1, 132), "EPROTONOSUPPORT"),  # SCTP
        ((40, 1, 0), "EAFNOSUPPORT"),  # vsock: the hypervisor
        ((38, 5, 0), "EAFNOSUPPORT"),  # the kernel's cryptography
        ((17, 3, 0), "EAFNOSUPPORT"),  # packets
        ((30, 1, 0), "EAFNOSUPPORT"),  # TIPC
        ((16, 3, 4), "ENOSYS"),  # netlink: who is connected to whom
        ((16, 3, 12), "ENOSYS"),  # netlink: the firewall
        ((16, 3, 0), "0"),
        ((1, 1, 0), "0"),
        ((2, 1, 0), "0"),
        ((2, 1, 6), "0"),
        ((2, 2, 17), "0"),
        ((10, 1, 6), "0"),
        ((10, 2, 0), "0"),
    ],
)
def test_socket_families(app: Filtered, arguments: tuple[int, ...], answer: str) -> None:
    """TCP, UDP, Unix sockets and what getaddrinfo needs; nothing else."""
    assert app.socket(*arguments) == answer


def test_a_family_cannot_hide_in_the_upper_half(app: Filtered) -> None:
    """The kernel takes the lower 32 bits of the family, and the filter compares all 64."""
    code = """
        import ctypes, errno
        libc = ctypes.CDLL(None, use_errno=True)
        number = {"x86_64": 41, "aarch64": 198}[__import__("os").uname().machine]
        for family in (43, 40, 38):
            hidden = ctypes.c_uint64(family | 1 << 32)
            assert libc.syscall(number, hidden, 1, 0) == -1
            print(errno.errorcode[ctypes.get_errno()])
    """
    assert set(app.python(code).split()) <= {"EAFNOSUPPORT", "ENOSYS"}


@pytest.mark.parametrize("separate", [False, True])
def test_no_namespace_of_its_own(app: Filtered, *, separate: bool) -> None:
    """Neither with unshare nor with clone; setns and mount are closed too."""
    code = f"""
        import ctypes, errno, os, signal
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare({CLONE_NEWUSER}) == -1
        print(errno.errorcode[ctypes.get_errno()])
        number = {{"x86_64": 56, "aarch64": 220}}[os.uname().machine]
        assert libc.syscall(number, {CLONE_NEWUSER} | signal.SIGCHLD, 0, 0, 0, 0) == -1
        print(errno.errorcode[ctypes.get_errno()])
    """
    assert app.python(code, separate=separate).split() == ["EPERM", "EPERM"]


def test_user_namespaces_for_those_who_need_them(trusted: Filtered) -> None:
    """The rest stays closed."""
    code = f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare({CLONE_NEWUSER}) == 0, ctypes.get_errno()
        print(open("/proc/self/uid_map").read().split())
    """
    assert trusted.python(code) == "[]"
    assert trusted.call(CALLS["keyctl"], 0, 0, 0) == "EPERM"
    assert trusted.socket(43, 1, 0) == "EAFNOSUPPORT"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="another way to call the kernel")
def test_calls_of_32_bit_programs(app: Filtered) -> None:
    """They have other numbers, which no rule names: all are refused."""
    code = """
        import ctypes, mmap
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        # mov eax, 20 (getpid); int 0x80; ret
        page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        print(ctypes.CFUNCTYPE(ctypes.c_int)(address)())
    """
    assert app.python(code) == str(-errno.ENOSYS)


def test_what_apps_do_works(app: Filtered) -> None:
    """Threads, processes, sockets, names, locks, shared memory, timers, tracing a child."""
    code = """
        import asyncio, concurrent.futures, multiprocessing, os, signal, socket
        import subprocess, tempfile
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(int, "1234")) == 10
        lock = multiprocessing.Lock()
        value = multiprocessing.Value("i", 0)
        def work():
            with lock:
                value.value += 1
        workers = [multiprocessing.Process(target=work) for _ in range(3)]
        [w.start() for w in workers]
        [w.join() for w in workers]
        assert value.value == 3
        assert subprocess.run(["/bin/sh", "-c", "exit 3"]).returncode == 3
        one, other = socket.socketpair()
        one.send(b"x")
        assert other.recv(1) == b"x"
        assert socket.getaddrinfo("127.0.0.1", 80)
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(server.getsockname())
        async def main():
            done = await asyncio.create_subprocess_exec("/bin/true")
            return await done.wait()
        assert asyncio.run(main()) == 0
        with tempfile.TemporaryFile() as file:
            file.truncate(1000)
            os.posix_fallocate(file.fileno(), 0, 4096)
        signal.setitimer(signal.ITIMER_REAL, 600)
        os.sched_setaffinity(0, os.sched_getaffinity(0))
        os.memfd_create("x")
        print("all")
    """
    assert app.python(code) == "all"


def test_the_filter_stays(app: Filtered) -> None:
    """A program that the app executes has it too."""
    code = """
        import subprocess
        status = open("/proc/self/status").read()
        child = subprocess.run(["/bin/cat", "/proc/self/status"], capture_output=True, text=True)
        for text in (status, child.stdout):
            print([line.split()[1] for line in text.splitlines() if line.startswith("Seccomp:")])
    """
    assert app.python(code) == "['2']\n['2']"


def test_a_filter_that_is_gone(launcher: Launcher) -> None:
    """Nothing is started without the filter that the spec names."""
    done = launcher.run("/bin/true", syscall_filter=str(launcher.root / "run" / "none"))
    assert done.returncode == 70
    assert b"No such file" in done.stderr


def test_a_machine_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and apps start without a filter."""
    monkeypatch.setattr(syscall_filter, "LIBRARY", "libseccomp.so.0")
    assert syscall_filter.lack() == "libseccomp.so.0 is missing."


def test_a_kernel_without_filters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is named."""
    monkeypatch.setattr(syscall_filter, "_ACTIONS", tmp_path / "none")
    assert syscall_filter.lack() == "The kernel has no seccomp filters."


def test_a_debugger_works(app: Filtered) -> None:
    """An app may trace its own children, as py-spy and gdb do."""
    code = """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        child = os.fork()
        if not child:
            libc.ptrace(0, 0, 0, 0)
            os.kill(os.getpid(), 19)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSTOPPED(status)
        assert libc.ptrace(7, child, 0, 0) == 0
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))
    """
    assert app.python(code) == "0"


def test_bash_and_coreutils_work(app: Filtered) -> None:
    """What build scripts call."""
    code = """
        import subprocess
        script = "set -e; cd /tmp; mkdir a; echo x > a/b; cp -r a c; tar cf d.tar a; rm -r a; " \\
            "tar xf d.tar; mv c e; ln -s e f; chmod 700 e; find . -type f | sort; sort -u e/b"
        print(subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout)
    """
    assert app.python(code).split() == ["./a/b", "./d.tar", "./e/b", "x"]
