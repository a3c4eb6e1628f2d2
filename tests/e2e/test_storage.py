"""A storage directory on a whole server: who sees it, and what outlives what."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from tests.e2e.console import console
from tests.e2e.probe import FILES, App, push
from tests.e2e.server import Repository, Server, User
from tests.e2e.tiny import app_id
from tests.waiting import wait_for

APP = "stored"
PAAS = Path(sys.executable).with_name("paas")


def test_files_outlive_releases(
    alice: User, server: Server, repository: Callable[[dict[str, str | bytes]], Repository]
) -> None:
    """Written by an instance, seen by the next, by run and by nobody's build; then deleted."""
    app: App = push(alice, APP, {})
    app.shell("mkdir instance; touch instance/not.db")
    app.python("import sqlite3; sqlite3.connect('instance/app.db').execute('create table t(x)')")
    alice.ssh("storage:add", "/app/data/deep", "-a", APP)
    lost = app.await_log(r"paas\[web\.1\].*Lost with the end of this process: (.*)$")[1]
    assert lost == (
        "the database /app/instance/app.db (8 KiB). "
        "What is to be kept must be in /app/data/deep (paas storage)"
    )
    app.shell("echo kept > /app/data/deep/file; chmod 600 /app/data/deep/file; echo lost > /app/x")
    alice.ssh("ps:restart", "-a", APP)
    assert app.shell("cat /app/data/deep/file; ls /app/x 2>&1; stat -c %U /app/data/deep") == (
        "kept\nls: cannot access '/app/x': No such file or directory\napp\n"
    )
    assert alice.ssh("run", "-a", APP, "cat", "data/deep/file").stdout == "kept\n"
    make = "import sqlite3; sqlite3.connect('once.db').execute('create table t(x)')"
    alice.ssh("run", "-a", APP, f'python3 -c "{make}"; kill -9 $$', check=False)
    app.await_log(r"paas\[run\.1\].*Lost .*: the database /app/once\.db \(8 KiB\)")
    files = {**FILES, "bin/post_compile": "#!/bin/sh\nls /app/data 2>&1 || true\n"}
    source = repository(files)
    (source.path / "bin/post_compile").chmod(0o755)
    source.commit()
    pushed = alice.push(source, APP, "--force").stdout
    assert "cannot access '/app/data'" in pushed
    assert app.shell("cat /app/data/deep/file") == "kept\n"
    ((row),) = json.loads(alice.ssh("storage", APP, "--json").stdout)
    assert row["path"] == "/app/data/deep"
    assert row["size_bytes"] > 0
    assert alice.ssh("storage:add", "/etc", "-a", APP, check=False).returncode == 2
    assert alice.ssh("storage:remove", "/app/data/deep", "-a", APP, check=False).returncode == 2
    alice.ssh("storage:remove", "/app/data/deep", "-a", APP, "--confirm", APP)
    alice.ssh("ps:wait", APP)
    assert app.shell("ls /app/data 2>&1 | head -1").startswith("ls: cannot access")
    kept = server.state / "storage" / str(app_id(server, APP))
    wait_for(lambda: list(kept.glob("*")) == [], what="the end of the files")


def test_a_database_is_told_of_before_it_is_lost(
    alice: User, server: Server, repository: Callable[[dict[str, str | bytes]], Repository]
) -> None:
    """At a terminal the command asks, on the server and on a laptop; a push continues."""
    app: App = push(alice, "unsafe", {})
    app.shell("mkdir instance")
    make = "import sqlite3; sqlite3.connect('instance/app.db').execute('create table t(x)')"
    app.python(make)
    told = r"web\.1 has the database /app/instance/app\.db \(8 KiB\)(.|\n)*storage:add"
    words = ["config:set", "A=1", "-a", "unsafe"]
    address = ["--server", f"paas@127.0.0.1:{server.ssh_port}"]
    for argv in ([str(server.root / "bin/paas"), *words], [str(PAAS), *words, *address]):
        with console(argv, env=alice.git_env()) as asked:
            asked.await_(told + r"(.|\n)*Continue, and lose it\? \[y/N\] ")
            asked.send("n\r")
            asked.await_(r"Nothing was changed\.")
            assert asked.status() == 1
    assert app.shell("ls instance") == "app.db\n"
    assert json.loads(alice.ssh("config", "unsafe", "--json").stdout) == {}
    warned = alice.ssh("config:set", "A=1", "-a", "unsafe").stderr
    assert re.search(told, warned)
    alice.ssh("ps:wait", "unsafe")
    assert app.shell("ls instance 2>&1").startswith("ls: cannot access")
    app.shell("mkdir instance")
    app.python(make)
    source = repository(FILES)
    source.commit()
    assert re.search(told, alice.push(source, "unsafe", "--force").stdout)
