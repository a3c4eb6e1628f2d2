"""The launcher, for real: processes are started by it and looked at from within and without."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.launcher.launching import Launcher
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    """A platform directory."""
    return Launcher(tmp_path / "paas")


def test_app_is_the_slug(launcher: Launcher) -> None:
    """The working directory is /app with the slug's files, writable by the app."""
    assert launcher.sh("pwd; cat hello.txt; touch /app/new bin/new; ls") == (
        "/app\nhello\nbin\nhello.txt\nnew\n"
    )


def test_it_can_be_started_before_its_spec_is_known(launcher: Launcher) -> None:
    """The path comes on its stdin, which is /dev/null for the app; without one it does nothing."""
    command = [*launcher.command(Path("-"))]
    spec = launcher.spec("/bin/sh", "-c", "readlink /proc/self/fd/0; cat; cat hello.txt")
    done = subprocess.run(command, input=os.fsencode(spec), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"/dev/null\nhello\n"), done.stderr
    done = subprocess.run(command, input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_changes_stay_in_the_instance(launcher: Launcher) -> None:
    """What an instance writes is in neither the slug nor another instance."""
    script = "echo changed > hello.txt; rm -r bin; touch new /tmp/mine; echo ready; exec sleep 600"
    with launcher.running(script):
        assert launcher.sh("cat hello.txt; ls -d bin; ls /tmp; test ! -e new") == "hello\nbin\n"
    assert sorted(p.name for p in launcher.slug.iterdir()) == ["bin", "hello.txt"]
    assert (launcher.slug / "hello.txt").read_text() == "hello\n"


def test_dependencies_are_beside_the_slug(launcher: Launcher) -> None:
    """What the slugs of an app share is in /app too, below their own; changes stay here as well."""
    shared = launcher.root / "var/dependencies/1/1-1/files"
    (shared / ".venv").mkdir(parents=True)
    (shared / ".venv/one").write_text("one\n")
    (shared / "hello.txt").write_text("not seen\n")
    for path in (shared / ".venv", shared / ".venv/one"):
        os.chown(path, launcher.uid, launcher.uid)
    script = (
        "cat hello.txt .venv/one; echo two > .venv/one; rm .venv/one; touch .venv/new; ls .venv"
    )
    assert launcher.sh(script, dependencies=str(shared)) == "hello\none\nnew\n"
    assert [path.read_text() for path in (shared / ".venv").iterdir()] == ["one\n"]


@pytest.mark.parametrize("refused", [False, True])
def test_a_build_changes_a_layer_beside_it(launcher: Launcher, *, refused: bool) -> None:
    """It sees all of it and its changes, which are elsewhere; nothing where there is no overlay."""
    lower, room = launcher.root / "lower", launcher.root / "room"
    for path in (lower, room / "upper", room / "work"):
        path.mkdir(parents=True)
    (lower / "one").write_text("one\n")
    for path in (lower, lower / "one", room / "upper"):
        os.chown(path, launcher.uid, launcher.uid)
    if refused:
        (room / "work").rmdir()
    changeable = {"lower": str(lower), "room": str(room), "target": "/tmp/paas/layer"}
    script = "cd /tmp/paas; ls; [ ! -d layer ] || { cd layer; echo 2 >> one; cat one; touch two; }"
    said = launcher.sh(script, writable_slug=True, changeable=changeable)
    assert said == ("" if refused else "layer\none\n2\n")
    assert [path.read_text() for path in lower.iterdir()] == ["one\n"]
    changed = [] if refused else ["one", "two"]
    assert sorted(path.name for path in (room / "upper").iterdir()) == changed


def test_a_build_writes_its_tree(launcher: Launcher) -> None:
    """With a writable slug, /app is the very directory."""
    launcher.sh("echo built > /app/result", writable_slug=True)
    assert (launcher.slug / "result").read_text() == "built\n"


def test_nothing_is_left_on_the_host(launcher: Launcher) -> None:
    """No mount and no file of an instance is seen outside it."""
    # The mounts of a machine where nobody else mounts anything meanwhile; shared, as systemd has
    # them, so that what is mounted in a copy of them comes to them too.
    own_mounts = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c"]
    script = "touch /tmp/x-mine /dev/shm/x-mine /var/tmp/x-mine; echo; exec sleep 600"
    command = launcher.command(launcher.spec("/bin/bash", "-c", script))
    with subprocess.Popen(
        [*own_mounts, "mount --make-rshared / && echo ready && read _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as host:
        assert host.stdout is not None and host.stdout.readline() == b"ready\n"
        mounts = Path(f"/proc/{host.pid}/mountinfo")
        before = mounts.read_text()
        inside = ["nsenter", f"--target={host.pid}", "--mount", *command]
        with subprocess.Popen(inside, stdout=subprocess.PIPE) as instance:
            assert instance.stdout is not None and instance.stdout.readline() == b"\n"
            assert mounts.read_text() == before
            for directory in ("/tmp", "/dev/shm", "/var/tmp"):
                assert not (Path(directory) / "x-mine").exists()
            assert list(Path("/app").iterdir()) == []
            instance.kill()
        assert mounts.read_text() == before
        host.communicate(b"\n")


def test_what_the_host_unmounts_is_free(launcher: Launcher, tmp_path: Path) -> None:
    """A file system that the host had mounted does not stay in use by a running instance."""
    shared, disk = tmp_path / "shared", tmp_path / "shared" / "disk"
    shared.mkdir()
    # As systemd has the whole of /: mounts below it are passed on to other namespaces.
    subprocess.run(["mount", "--bind", str(shared), str(shared)], check=True)
    try:
        subprocess.run(["mount", "--make-shared", str(shared)], check=True)
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "paas-test", str(disk)], check=True)
        with launcher.running("echo ready; exec sleep 600") as process:
            mounts = Path(f"/proc/{process.pid}/mountinfo")
            assert str(disk) in mounts.read_text()
            subprocess.run(["umount", str(disk)], check=True)
            assert str(disk) not in mounts.read_text()
    finally:
        subprocess.run(["umount", "--recursive", "--lazy", str(shared)], check=False)


def test_other_processes_are_invisible(launcher: Launcher) -> None:
    """/proc shows only processes of the app's own uid."""
    pids = launcher.sh("cd /proc; for p in [0-9]*; do stat -c %u $p 2>/dev/null; done").split()
    assert set(pids) <= {str(launcher.uid)}
    assert launcher.run("/bin/cat", "/proc/1/cmdline").returncode != 0


def test_platform_directories_look_empty(launcher: Launcher) -> None:
    """The directories to hide, /home and /root are there and empty but for one that is root's."""
    hidden = [str(launcher.root / name) for name in ("etc", "var", "run", "opt")]
    for directory in (*hidden, "/home", "/root"):
        listing = launcher.sh(f"ls -A {directory} 2>/dev/null || true")
        assert listing == (".scratch\n" if directory == "/home" else ""), directory
    assert launcher.run("/bin/ls", "/home/.scratch").returncode != 0


def test_binds_reappear_below_hidden_directories(launcher: Launcher) -> None:
    """A bind shows its source below a hidden directory, read-only or writable as asked."""
    python, storage = launcher.root / "opt" / "python", launcher.root / "var" / "storage"
    (python / "it").write_text("it")
    storage.mkdir()
    os.chown(storage, launcher.uid, launcher.uid)
    binds = [
        {"source": str(python), "target": str(python), "writable": False},
        {"source": str(storage), "target": "/app/data/storage", "writable": True},
        {"source": "/etc/hostname", "target": "/tmp/a/name", "writable": False},
    ]
    output = launcher.sh(
        f"cat {python}/it; ls {launcher.root}/opt; echo kept > data/storage/file;"
        "test -s /tmp/a/name; touch data/beside",
        binds=binds,
    )
    assert output == "itpython\n"
    assert (storage / "file").read_text() == "kept\n"
    assert launcher.run("/bin/touch", f"{python}/no", binds=binds).returncode != 0


@pytest.mark.parametrize("target", ["/app/link/x", "/app/link", "/opt-that-is-not/x"])
def test_bind_targets_cannot_lead_to_the_host(launcher: Launcher, target: str) -> None:
    """A slug's symbolic link does not move a bind, and nothing is made on the host."""
    (launcher.slug / "link").symlink_to("/var/lib")
    source = str(launcher.root / "opt" / "python")
    bind = {"source": source, "target": target, "writable": True}
    result = launcher.run("/bin/true", binds=[bind])
    assert (result.returncode, result.stderr[:24]) == (70, b"paas-launch: cannot bind")
    assert not Path("/opt-that-is-not").exists()
    assert not Path("/var/lib/x").exists()


def test_all_privileges_are_gone(launcher: Launcher) -> None:
    """The uid is the app's everywhere, no groups, no capabilities, no_new_privs."""
    status = dict(line.split(":", 1) for line in launcher.sh("cat /proc/self/status").splitlines())
    assert status["Uid"].split() == [str(launcher.uid)] * 4
    assert status["Gid"].split() == [str(launcher.uid)] * 4
    assert status["Groups"].split() == []
    assert status["NoNewPrivs"].strip() == "1"
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert int(status["SigIgn"], 16) == int(status["SigBlk"], 16) == 0
    assert status["Umask"].strip() == "0022"


def test_the_host_is_out_of_reach(launcher: Launcher) -> None:
    """Secrets cannot be read, the host's world-writable places not be filled."""
    for script in ("cat /etc/shadow", "touch /run/lock/x", "touch /etc/x", "mkdir /dev/mqueue/x"):
        assert launcher.run("/bin/sh", "-c", script).returncode != 0, script
    assert launcher.sh("getent passwd app; id -un") == (
        f"app:x:{launcher.uid}:{launcher.uid}::/app:/bin/bash\napp\n"
    )


def test_files_of_etc_are_the_host_s_own(launcher: Launcher) -> None:
    """A change in place, of content or mode, is seen at once; a replaced file stays as it was."""
    hosts = [Path(f"/etc/paas-test-{launcher.uid}-{name}") for name in ("plain", "secret", "new")]
    plain, secret, new = hosts
    try:
        plain.write_text("first")
        secret.write_text("secret")
        secret.chmod(0o600)
        with launcher.running("echo ready; exec sleep 600") as process:
            root = Path(f"/proc/{process.pid}/root")
            shown, hidden, later = (root / str(path)[1:] for path in hosts)
            assert (shown.read_text(), hidden.read_text()) == ("first", "")
            plain.write_text("second")
            plain.chmod(0o600)
            assert (shown.read_text(), shown.stat().st_mode & 0o777) == ("second", 0o600)
            new.write_text("new")
            assert not later.exists()
            new.rename(plain)
            assert shown.read_text() == "second"
            assert (root / "etc/passwd").read_text() != Path("/etc/passwd").read_text()
    finally:
        for path in hosts:
            path.unlink(missing_ok=True)


def test_names_of_datastores_are_found_beside_the_machine_s(launcher: Launcher) -> None:
    """By the process alone; the machine's own list is as before."""
    before = Path("/etc/hosts").read_bytes()
    name = "postgresql-curly-1234.paas.internal"
    shown = launcher.sh("cat /etc/hosts", hosts=[["127.0.0.1", name]])
    assert shown.encode().startswith(before)
    assert shown.splitlines()[-1] == f"127.0.0.1 {name}"
    assert launcher.sh(f"getent hosts {name}", hosts=[["127.0.0.1", name]]).split() == [
        "127.0.0.1",
        name,
    ]
    assert launcher.sh("cat /etc/hosts").encode() == before
    assert Path("/etc/hosts").read_bytes() == before


def test_etc_takes_nothing_of_the_throw_away_layer(launcher: Launcher) -> None:
    """Only its own lists of accounts are in it, a page each."""
    assert int(launcher.sh("df --output=used --block-size=1 /tmp | tail -1")) <= 4 * 4096


def test_a_setuid_program_gives_nothing(launcher: Launcher) -> None:
    """A setuid-root binary in the slug runs as the app."""
    shutil.copy("/usr/bin/id", launcher.slug / "id")
    os.chown(launcher.slug / "id", 0, 0)
    (launcher.slug / "id").chmod(0o6755)
    assert launcher.sh("./id -u; ./id -g") == f"{launcher.uid}\n{launcher.uid}\n"


def test_no_descriptor_leaks(launcher: Launcher) -> None:
    """What the caller left open is closed, and so is what the launcher opened."""
    read, write = os.pipe()
    process = subprocess.run(
        launcher.command(launcher.spec("/bin/ls", "/proc/self/fd")),
        pass_fds=(read, write),
        capture_output=True,
        check=True,
    )
    os.close(read)
    os.close(write)
    assert process.stdout.split() == [b"0", b"1", b"2", b"3"]  # 3 is of ls


def test_environment_arrives_byte_for_byte(launcher: Launcher) -> None:
    """Values of every kind reach the app as they are, and nothing else does."""
    env = {
        "PATH": "/usr/bin:/bin",
        "LINES": "a\nb\n",
        "PERCENT": "%(ENV_X)s %",
        "QUOTES": "'\"$\\`",
        "UTF8": "grüße ☃",
        "BYTES": b"\xff\xfe".decode("utf-8", "surrogateescape"),
        "SPACES": "  x  ",
        "EMPTY": "",
        "LONG": "x" * 65_536,
    }
    result = launcher.run("/usr/bin/env", "-0", env=env)
    got = dict(entry.split(b"=", 1) for entry in result.stdout.rstrip(b"\0").split(b"\0"))
    assert got == {k.encode(): v.encode("utf-8", "surrogateescape") for k, v in env.items()}


def test_limits_hold(launcher: Launcher) -> None:
    """Resource limits and the size of the in-memory layer are as the spec says."""
    assert launcher.sh("ulimit -n; ulimit -Hn; ulimit -c") == "4096\n4096\n0\n"
    filled = launcher.run("/bin/sh", "-c", "head -c 20M /dev/zero > /tmp/x")
    assert filled.returncode != 0
    assert b"No space left" in filled.stderr


FORKS = """
import os, signal
children = []
try:
    while len(children) < 50:
        child = os.fork()
        if not child:
            signal.pause()
        children.append(child)
except OSError as error:
    print(len(children), "children, then", error.strerror)
for child in children:
    os.kill(child, signal.SIGKILL)
"""


def test_a_fork_bomb_is_stopped_by_nproc(launcher: Launcher) -> None:
    """The number of the uid's processes is limited even without cgroups."""
    result = launcher.run("/usr/bin/python3", "-c", FORKS, limits={"nproc": 10, "cpu": 5})
    assert result.stdout == b"9 children, then Resource temporarily unavailable\n", result


def test_it_dies_with_its_parent(launcher: Launcher) -> None:
    """kill -9 of the supervisor takes the instance with it."""
    spec = launcher.spec("/bin/sh", "-c", "echo $$; exec sleep 600")
    code = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"
    parent = subprocess.Popen(
        ["/usr/bin/python3", "-c", code, *launcher.command(spec)], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert Path(f"/proc/{pid}/comm").exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not _lives(pid), what="it dies")


def _lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_missing_program_is_named(launcher: Launcher) -> None:
    """A command that does not exist ends with 127 and a line that names it."""
    result = launcher.run("gunicron", "app:app")
    assert result.returncode == 127
    assert result.stderr == b"paas-launch: gunicron: command not found\n"
    assert launcher.run("/app/hello.txt").returncode == 126
    (launcher.slug / "bin" / "tool").write_text("#!/bin/sh\necho found\n")
    (launcher.slug / "bin" / "tool").chmod(0o755)
    assert launcher.run("tool", env={"PATH": "bin:/bin"}).stdout == b"found\n"


def test_its_own_failures_are_told(launcher: Launcher) -> None:
    """What the launcher cannot do is one line and status 70; it never runs anything as root."""
    result = launcher.run("/bin/true", slug=str(launcher.root / "gone"))
    assert result.returncode == 70
    assert (
        result.stderr == f"paas-launch: {launcher.root}/gone: No such file or directory\n".encode()
    )
    result = launcher.run("/bin/true", uid=0)
    assert (result.returncode, result.stderr) == (70, b"paas-launch: the spec asks for root\n")
    broken = launcher.root / "broken.json"
    for text in ("", "{", "{}", "[]", '{"uid": "x"}'):
        broken.write_text(text)
        result = subprocess.run(launcher.command(broken), capture_output=True, check=False)
        assert result.returncode == 70
        assert result.stderr.startswith(b"paas-launch: ")
        assert result.stderr.count(b"\n") == 1
