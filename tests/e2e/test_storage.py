"""A storage directory on a whole server: who sees it, and what outlives what."""

import json
from collections.abc import Callable

from tests.e2e.probe import FILES, App, push
from tests.e2e.server import Repository, Server, User

APP = "stored"


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
    alice.ssh("run", "-a", APP, "head -c 12M /dev/zero > twelve; kill -9 $$", check=False)
    app.await_log(r"paas\[run\.1\].*Lost .*: 12\.0 MiB below /app, of it /app/twelve")
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
    assert list((server.state / "storage").glob("*/*")) == []
