"""What an app can reach from inside: itself, and nothing of the platform or of another app."""

import os
import pwd
import re
import shutil
import socket
from pathlib import Path

import pytest
import yaml

from tests.e2e.probe import App, push
from tests.e2e.server import Server, User, run
from tests.waiting import wait_for

CONNECT = """
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), 60)
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""
CONNECT_UNIX = """
import socket
for path in {paths!r}:
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        print("connected to", path)
    except OSError:
        pass
"""


def uid_of(app: App) -> int:
    """The app's uid, as it sees it."""
    return int(app.shell("id -u"))


def host_pids(uid: int) -> list[int]:
    """The processes of a uid, seen from the host; but those that only wait to be reaped."""
    rows = run(["ps", "-o", "pid=,stat=", "-U", str(uid)], check=False).stdout.splitlines()
    return [int(row.split()[0]) for row in rows if not row.split()[1].startswith("Z")]


def test_each_app_has_a_uid_and_gid_of_its_own(server: Server, probe: App, neighbour: App) -> None:
    """Two apps have two uids of the server's range, which no account of the host has."""
    first, last = yaml.safe_load((server.root / "etc/server.yml").read_text())["uids"]
    uids = {uid_of(probe), uid_of(neighbour)}
    assert len(uids) == 2
    assert all(first <= uid <= last for uid in uids)
    assert not uids.intersection(entry.pw_uid for entry in pwd.getpwall())
    shown = probe.shell("id; whoami; echo ~; pwd")
    uid = uid_of(probe)
    assert shown.splitlines() == [
        f"uid={uid}(app) gid={uid}(app) groups={uid}(app)",
        "app",
        "/app",
        "/app",
    ]


def test_app_directory_is_writable_but_thrown_away(server: Server, probe: App) -> None:
    """What an instance writes and deletes in /app is gone at its restart; the slug has nothing."""
    assert probe.shell("echo mine > /app/note && rm Procfile && cat /app/note") == "mine\n"
    assert not list((server.state / "slugs").glob("*/note"))
    before = probe.boot()
    probe.paas("ps:restart")
    assert probe.boot() != before
    assert "No such file" in probe.shell("cat /app/note; cat Procfile >/dev/null")
    assert "Procfile: No such file" not in probe.shell("cat Procfile")


def test_scratch_directories_are_private(probe: App, neighbour: App) -> None:
    """/tmp, /var/tmp and /dev/shm are each app's own."""
    name = f"mine-{uid_of(probe)}"
    places = ("/tmp", "/var/tmp", "/dev/shm")
    probe.shell(f"touch {' '.join(f'{place}/{name}' for place in places)}")
    assert probe.shell("ls -A /tmp /var/tmp /dev/shm").count(name) == 3
    assert name not in neighbour.shell("ls -A /tmp /var/tmp /dev/shm")
    assert not any(Path(place, name).exists() for place in places)
    assert probe.shell("touch /usr/x /etc/x /x").count("Read-only file system") == 3


def test_platform_sockets_and_state_are_out_of_reach(server: Server, probe: App) -> None:
    """From inside, the platform's sockets, database, keys and specs do not exist."""
    sockets = [str(path) for path in server.run.iterdir() if path.is_socket()]
    assert len(sockets) >= 3
    assert probe.python(CONNECT_UNIX.format(paths=sockets)) == ""
    paths = [server.state / "state.db", server.root / "etc/server.yml", server.run / "specs"]
    assert all(path.exists() for path in paths)
    for path in paths:
        assert "No such file" in probe.shell(f"ls {path}")


def test_uid_alone_keeps_an_app_from_the_platform(server: Server, probe: App) -> None:
    """Even with the host's files in sight, an app's uid gets at no socket and no secret."""
    uid = str(uid_of(probe))
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    sockets = [str(path) for path in server.run.iterdir() if path.is_socket()]
    code = CONNECT_UNIX.format(paths=sockets)
    assert run([*become, "/usr/bin/python3", "-c", code]).stdout == ""
    private = [
        server.state / "state.db",
        server.root / "etc/ssh_host_ed25519_key",
        server.root / "etc/authorized_keys",
        *(server.run / "specs").iterdir(),
        *(server.state / "logs").glob("*/app.log"),
    ]
    for path in private:
        done = run([*become, "cat", str(path)], check=False)
        assert done.returncode != 0, path
        assert "Permission denied" in done.stderr


def test_other_processes_are_invisible(probe: App, neighbour: App) -> None:
    """An app sees its own processes only, and can neither signal nor inspect another's."""
    other = host_pids(uid_of(neighbour))[0]
    uids = probe.shell("stat -c %u /proc/[0-9]*").split()
    assert set(uids) == {str(uid_of(probe))}
    assert "No such file" in probe.shell(f"cat /proc/{other}/environ")
    assert "No such file" in probe.shell("cat /proc/1/cmdline")
    assert re.search("not permitted|No such process", probe.shell(f"kill -9 {other}"))
    assert neighbour.boot()


def test_another_apps_port_is_refused(probe: App, neighbour: App) -> None:
    """Root reaches any app's port, another app none."""
    other = neighbour.port()
    assert probe.python(CONNECT.format(port=other)) == "ConnectionRefusedError\n"
    socket.create_connection(("127.0.0.1", other), 60).close()


def test_another_apps_files_are_out_of_reach(server: Server, probe: App, neighbour: App) -> None:
    """Slugs, caches, repositories and logs of another app do not exist from inside."""
    for name in ("slugs", "dependencies", "cache", "git", "logs", "builds"):
        assert "No such file" in probe.shell(f"ls {server.state}/{name}")
    assert neighbour.shell("echo secret > /app/secret; ls /app/secret") == "/app/secret\n"
    assert "No such file" in probe.shell("cat /app/secret")


def test_no_privilege_can_be_gained(probe: App) -> None:
    """no_new_privs is set, no capability is left, and setuid programs stay without effect."""
    status = probe.shell("cat /proc/self/status")
    assert "NoNewPrivs:\t1" in status
    for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        assert f"Cap{kind}:\t0000000000000000" in status
    assert Path("/usr/bin/mount").stat().st_mode & 0o4000
    tried = probe.shell("mount -t tmpfs x /mnt && echo mounted; su -c id </dev/null")
    assert "mounted" not in tried
    assert "uid=0" not in tried
    made = probe.shell("cp /usr/bin/id /app/id && chmod 4755 /app/id && /app/id -u")
    assert int(made) == uid_of(probe)
    assert "not permitted" in probe.python("import os; os.setuid(0)")
    assert "Permission denied" in probe.shell("cat /etc/shadow")
    assert probe.shell("ls /root /home") == "/home:\n\n/root:\n"


def test_account_file_has_no_people(probe: App) -> None:
    """/etc/passwd shows system accounts and the app, even after the host has replaced its own."""
    host = Path("/etc/passwd")
    before = probe.shell("cat /etc/passwd")
    replacement = host.with_name("passwd.paas-test")
    shutil.copy2(host, replacement)  # as useradd does: another file takes the name
    os.rename(replacement, host)  # noqa: PTH104
    assert probe.shell("cat /etc/passwd") == before
    fields = [line.split(":") for line in before.splitlines()]
    assert [f[0] for f in fields if int(f[2]) >= 1000 and f[0] != "nobody"] == ["app"]
    assert probe.shell("whoami") == "app\n"
    assert "Read-only" in probe.shell("echo x >> /etc/passwd; echo x > /etc/new")


def test_host_configuration_stays_in_sight(probe: App) -> None:
    """The rest of /etc is the host's: resolver, certificates, time zone."""
    for name in ("resolv.conf", "hosts", "ssl/certs/ca-certificates.crt", "debian_version"):
        path = Path("/etc", name)
        assert probe.shell(f"cat {path} | md5sum") == run(["md5sum"], stdin=path.read_text()).stdout
    assert probe.shell("readlink /etc/mtab").strip() == os.readlink("/etc/mtab")  # noqa: PTH115


SPY = """#!/bin/bash
echo "build-uid=$(id -u)"
env | sed 's/=.*//; s/^/build-env=/'
for path in {paths}; do
    if cat "$path" >/dev/null 2>&1 || ls "$path"/* >/dev/null 2>&1; then echo "build-read=$path"; fi
done
stat -c 'build-sees=%u' /proc/[0-9]*
grep -H . /proc/self/status | grep NoNewPrivs
exit 0
"""
HARMLESS = re.compile(
    r"(BUILD_DIR|BUILDPACK_LOG_FILE|CACHE_DIR|ENV_DIR|HOME|LANG|OLDPWD|PATH|PWD|SHLVL"
    r"|PAAS_DEPENDENCIES|PAAS_PYTHON(_WHY)?|SOURCE_VERSION|STACK|TMPDIR|_|VIRTUAL_ENV"
    r"|(CURL|GIT|NODE|PIP|REQUESTS|SSL|UV|HTTPS?|NO|ALL|https?|no|all)_.*)"
)


def test_build_reads_nothing_of_others(server: Server, alice: User, neighbour: App) -> None:
    """A build runs as the app's uid, without a secret in its environment or a file in reach."""
    places = [
        *("/etc/shadow", "/root", "/proc/1/environ"),
        *(f"{server.root}/{name}" for name in ("etc", "var", "run")),
        *(str(path) for path in (server.state / "slugs").iterdir()),
        *(str(path) for path in (server.state / "dependencies").iterdir()),
        str(server.state / "state.db"),
    ]
    spy = SPY.format(paths=" ".join(places))
    files: dict[str, str | bytes] = {"bin/pre_compile": spy}
    app = push(alice, "spy", files)
    uid = uid_of(app)
    (log,) = [
        text
        for path in (server.state / "logs/builds").iterdir()
        if "build-uid=" in (text := path.read_text())
    ]
    assert re.findall(r"build-uid=(\d+)", log) == [str(uid)]
    assert re.findall(r"build-read=.*", log) == []
    assert set(re.findall(r"build-sees=(\d+)", log)) <= {str(uid)}
    assert re.search(r"NoNewPrivs:\s+1", log)
    names = re.findall(r"build-env=(\w+)", log)
    assert "PATH" in names
    assert [name for name in names if not HARMLESS.fullmatch(name)] == []


def test_killed_instance_comes_back(probe: App) -> None:
    """kill -9 of an instance's main process: it is started again, and the log says so."""
    before = probe.boot()
    with pytest.raises((AssertionError, OSError)):
        probe.shell("kill -9 $PPID")
    wait_for(lambda: probe.boot() not in ("", before), what="another start")
    probe.await_log(r"paas\[web\.1\]: State changed from crashed to starting")
    wait_for(lambda: probe.ps()[0]["state"] == "up", what="its state")
    assert probe.ps()[0]["exits"] == 1


def test_processes_of_an_app_end_with_it(alice: User) -> None:
    """apps:destroy leaves no process of the app's uid behind, detached ones included."""
    app = push(alice, "detached", {})
    uid = uid_of(app)
    app.shell("setsid sleep 1000 >/dev/null 2>&1 & (setsid setsid sleep 1000 &) >/dev/null 2>&1")
    wait_for(lambda: len(host_pids(uid)) == 3, what="both sleepers")
    app.server.paas("apps:destroy", app.name, "--confirm", app.name)
    wait_for(lambda: host_pids(uid) == [], what="the end of its processes")


def test_the_platforms_logs_are_for_root(server: Server, probe: App) -> None:
    """No account of the machine reads them: they name apps, users and addresses."""
    assert probe.boot()
    logs = server.state / "logs"
    names = {path.name for path in logs.glob("*.log*")}
    assert {"gate.log", "sshd.log", "supervisord.log", "nginx-error.log", "boot.log"} <= names
    assert not [path for path in logs.glob("*.log*") if path.stat().st_mode & 0o137]
