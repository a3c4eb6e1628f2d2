"""Secrets are nowhere on the server in the clear, except for the processes that use them."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.e2e.server import Repository, Server, User, installed
from tests.e2e.tiny import Pause, environment, tiny
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]
CONFIG, FORMER, DRAIN, BUILD = (f"canary-{word}-5f2c91" for word in ("now", "then", "url", "build"))
SECRETS = (CONFIG, FORMER, DRAIN, BUILD)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server whose builds use a secret."""
    settings = {"min_free_mib": 64, "watch_window_s": 0, "build_env": {"INDEX_TOKEN": BUILD}}
    with installed(Server.in_new_directory(settings)) as made:
        yield made


@pytest.fixture(scope="module")
def owner(server: Server, tmp_path_factory: pytest.TempPathFactory) -> User:
    """The owner of ``shop``, which has secrets and had others, including during a build."""
    alice = server.user("alice")
    repository = Repository.of(tmp_path_factory.mktemp("people") / "shop", tiny())
    alice.ssh("apps:create", "shop")
    alice.ssh("config:import", "-a", "shop", stdin=f"TOKEN={FORMER}\n")
    alice.push(repository, "shop")
    alice.ssh("config:import", "-a", "shop", stdin=f"TOKEN={CONFIG}\n")
    alice.ssh("drains:add", f"https://logs:{DRAIN}@logs.invalid/{DRAIN}", "-a", "shop")
    return alice


def found_in(server: Server) -> set[str]:
    """The files below the server's directory that contain one of the secrets in any byte."""
    found = set()
    for folder, _, names in os.walk(server.root):
        for name in names:
            path = Path(folder, name)
            with suppress(FileNotFoundError):  # removed meanwhile
                if path.is_file() and not path.is_symlink():
                    content = path.read_bytes()
                    if any(secret.encode() in content for secret in SECRETS):
                        assert path.stat().st_mode & 0o077 == 0, path
                        found.add(str(path.relative_to(server.root)))
    return found


def assert_only_where_needed(server: Server) -> None:
    """In the settings, for the build's secret, and in files that start an instance or a build."""
    for name in found_in(server) - {"etc/server.yml", "etc/.installed.json"}:
        assert name.split("/")[:2] in (["run", "specs"], ["run", "builds"]), name


def assert_in_no_command_line() -> None:
    """Command lines, which every user of the machine can read."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        assert not any(secret.encode() in words for secret in SECRETS), words


def copied(server: Server) -> None:
    """Wait until the latest copy contains all changes of the store."""

    def changes(path: Path) -> int:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT changes FROM identity").fetchone()[0])

    latest, store = server.state / "copies/latest.db", server.state / "state.db"
    wait_for(lambda: latest.exists() and changes(latest) == changes(store), what="a copy")


def test_no_secret_is_in_the_clear(server: Server, owner: User) -> None:
    """Not in files, command lines, logs, or what others are shown."""
    assert environment(server, "shop")["TOKEN"] == CONFIG
    owner.ssh("run", "-a", "shop", "--", "true")
    copied(server)
    assert_only_where_needed(server)
    assert_in_no_command_line()
    bob = server.user("bob")
    said = [
        reader(*words, check=False)
        for reader in (bob.ssh, owner.ssh, server.paas)
        for words in (
            *(["apps"], ["ps", "-a", "shop"], ["logs", "-a", "shop"], ["releases", "-a", "shop"]),
            *(["releases:info", "-a", "shop"], ["drains", "-a", "shop"], ["drains", "nosuch"]),
            *(["builds", "-a", "shop"], ["builds:output", "-a", "shop"], ["doctor"]),
            *(["server:status"], ["apps:info", "-a", "shop", "--json"]),
        )
    ]
    said += [bob.ssh(*words, check=False) for words in (["config"], ["config:get", "TOKEN"])]
    said += [bob.ssh("config", "-a", "shop", check=False), bob.ssh("config", "shop", check=False)]
    for ran in said:
        assert not any(secret in ran.stdout + ran.stderr for secret in SECRETS), ran.args


def test_no_secret_is_in_the_clear_during_a_build(
    server: Server, owner: User, repository: MakeRepository
) -> None:
    """The build's secrets are in files that only root, or only the build, can read."""
    pause = Pause()
    pushed = repository(tiny("v2", **{"bin/pre_compile": pause.hook}))
    push = owner.start_push(pushed, "shop", "+main:main")
    try:
        pause.wait()
        assert_only_where_needed(server)
        assert_in_no_command_line()
        pause.go()
        push.communicate(timeout=150)
    finally:
        pause.close()
    assert push.returncode == 0
    assert_only_where_needed(server)


def test_another_key(server: Server, owner: User) -> None:
    """Only admins can change it; then only the new key opens the database, and apps can start."""
    key = server.root / "etc/server.key"
    former = key.read_text().splitlines()[-1].split()
    refused = owner.ssh("server:rotate-key", check=False)
    assert (refused.returncode, key.read_text().splitlines()[-1].split()) == (1, former)
    told = server.paas("server:rotate-key")
    assert str(key) in told.stderr
    copied(server)
    for path in (key, *server.state.glob("state.db*"), *server.state.glob("copies/*")):
        with suppress(FileNotFoundError):  # a copy that is replaced
            content = path.read_bytes()
            assert not any(word.encode() in content for word in former), path
    assert key.stat().st_mode & 0o777 == 0o600
    assert_only_where_needed(server)
    server.paas("ps:restart", "-a", "shop")
    assert environment(server, "shop")["TOKEN"] == CONFIG


def test_a_start_without_the_store_or_its_key(server: Server, owner: User) -> None:
    """The app gets its secrets from the copy; without the key, every command says what is wrong."""
    copied(server)
    store, key = server.state / "state.db", server.root / "etc/server.key"
    assert key.stat().st_mode & 0o777 == 0o600
    server.paas("server:stop")
    os.truncate(store, 0)
    shutil.rmtree(server.run / "specs")
    server.paas("server:start", timeout_s=180)
    server.await_answer("shop")
    assert environment(server, "shop")["TOKEN"] == CONFIG
    server.paas("doctor", "--restore-store")

    content = key.read_text()
    key.unlink()
    for ran in (server.paas("apps", check=False), owner.ssh("config", "-a", "shop", check=False)):
        assert ran.returncode == 1, ran
        assert f"{key} is missing" in ran.stderr
        assert "Traceback" not in ran.stderr
    told = server.paas("doctor", check=False)
    assert told.returncode == 1, told
    assert f"{key} is missing" in told.stderr
    assert "put it back from a copy" in told.stderr
    assert f"{key} is missing" in server.paas("doctor", "--restore-store", check=False).stderr
    assert server.install("--quiet", check=False).returncode == 1
    assert not key.exists()
    assert environment(server, "shop")["TOKEN"] == CONFIG
    server.paas("server:stop")
    assert f"{key} is missing" in server.paas("server:start", timeout_s=180).stderr
    key.write_text(content)
    key.chmod(0o600)
    server.paas("doctor", "--fix", check=False)  # an app may be starting yet
    server.await_answer("shop")
    assert environment(server, "shop")["TOKEN"] == CONFIG
    plain = json.loads(server.paas("config", "--json", "-a", "shop").stdout)
    assert plain["TOKEN"] == CONFIG
