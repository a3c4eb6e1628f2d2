"""Redis as a datastore: the same checks on the fake and on the real server under supervisord.

What only the real one has: users and their rights, a file that is read after a crash, and memory
that is full.
"""

import os
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from paas.adapters.datastores.log_trimming import MAX_BYTES, DatastoreLogTrimming
from paas.adapters.datastores.redis import programs
from paas.adapters.datastores.redis.read_only import RedisReadOnly
from paas.adapters.datastores.redis.server import RedisServer
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.redis import POLICY, Policy
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import DatastoreServer, ReadOnlySwitch, RedisServers, Runtime
from tests.contract.datastores.serving import (
    LIMIT_S,
    contents_below,
    datastore,
    fake_serving,
    never_made,
    refuse_leftovers,
    serving,
    wait_until_quiet,
)
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.fakes.datastores import FakeDatastoreServer, FakeRedis
from tests.fakes.output import FakeProgress
from tests.ports import free_port
from tests.processes import first_of, with_words
from tests.uids import free_uids
from tests.waiting import wait_for

UID = free_uids()
PASSWORD = "canary-7d1c0a"
ONE = datastore(DatastoreKind.REDIS, "7.0", UID, PASSWORD)


@dataclass
class Running:
    """A datastore that serves. found: the server under it; None with the fake."""

    server: DatastoreServer
    runtime: Runtime
    found: SupervisorServer | None
    one: Datastore = ONE

    @property
    def root(self) -> Path:
        """Of the datastore's files."""
        assert self.found is not None
        return self.found.settings.paths.datastores / "3"

    @property
    def redis(self) -> RedisServer:
        """The real one."""
        assert isinstance(self.server, RedisServer)
        return self.server


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One Redis for all tests."""
    programs.ensure_installed(FakeProgress())
    with running_supervisor() as supervised:
        found: SupervisorServer = supervised
        server = RedisServer(found.settings)
        with serving(server, found.runtime, ONE):
            yield Running(server, found.runtime, found)
        refuse_leftovers(found.settings.paths.datastores)


@pytest.fixture(params=["fake", "real"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Each of them."""
    if request.param == "real":
        yield request.getfixturevalue("real")
        return
    with fake_serving(ONE) as (server, runtime):
        yield Running(server, runtime, None)


def ask(running: Running, *words: str, user: str = "", password: str = PASSWORD) -> str:
    """What Redis answers to an app; the errors too."""
    return subprocess.run(
        [
            *("redis-cli", "-h", "127.0.0.1", "-p", str(running.one.port)),
            *("--user", user or running.one.login, *words),
        ],
        env={"PATH": "/usr/bin", "REDISCLI_AUTH": password} if password else {"PATH": "/usr/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout.strip()


def kill(running: Running) -> None:
    """End the server the hard way, and wait until it serves again."""
    before = first_of(with_words("redis-server", uid=UID))
    before.kill()
    wait_for(lambda: not before.is_running())
    wait_for(lambda: running.server.answers(running.one))


def restart(running: Running) -> None:
    """End the server in order, and start it again."""
    workload = running.server.workload(running.one)
    assert running.runtime.stop([workload], LIMIT_S) == set()
    running.server.refresh(running.one)
    running.runtime.start([workload])
    running.server.set_up(running.one, LIMIT_S)


def test_it_answers_and_tells_its_figures(running: Running) -> None:
    """Once it was set up; and setting it up again changes nothing."""
    assert running.server.answers(running.one)
    running.server.set_up(running.one, LIMIT_S)
    wait_until_quiet(running.server, running.one)
    figures = running.server.figures(running.one)
    assert figures.size_bytes > 100_000
    assert figures.version


def test_one_that_was_never_made(running: Running) -> None:
    """It does not answer, and removing it is no error."""
    other = never_made(running.one)
    assert not running.server.answers(other)
    with pytest.raises(PaasError) as caught:
        running.server.figures(other)
    assert caught.value.reference == "datastore-down"
    running.server.remove(99)


def test_figures_of_a_real_one(real: Running) -> None:
    """What only Redis has: keys, memory and what happens when it is full."""
    ask(real, "SET", "one", "1")
    figures = real.server.figures(real.one)
    assert figures.version.startswith("7.")
    assert figures.more == {
        "Keys": ask(real, "DBSIZE"),
        "Max memory": "64.0 MiB",
        "Policy": "noeviction",
    }


def test_only_its_user_and_the_platform_come_in(real: Running) -> None:
    """Each with its password."""
    assert ask(real, "PING") == "PONG"
    assert "WRONGPASS" in ask(real, "PING", password="wrong")
    assert "WRONGPASS" in ask(real, "PING", user="default")
    assert "NOAUTH" in ask(real, "PING", password="")
    platform = (real.root / "platform").read_text()
    assert len(bytes.fromhex(platform)) == 32
    assert ask(real, "PING", user="default", password=platform) == "PONG"


@pytest.mark.parametrize(
    "command",
    [
        *("ACL LIST", "ACL SETUSER x", "BGREWRITEAOF", "BGSAVE", "CLIENT PAUSE 1", "CONFIG GET *"),
        *("CONFIG SET dir /tmp", "FAILOVER", "LATENCY LATEST", "MIGRATE h 1 k 0 1"),
        *("MODULE LIST", "REPLICAOF h 1", "SAVE", "SHUTDOWN", "SLAVEOF h 1", "PSYNC ? -1"),
    ],
)
def test_what_an_app_may_not(real: Running, command: str) -> None:
    """Nothing that changes the server, shows its files, ends it, or leads to elsewhere."""
    assert "NOPERM" in ask(real, *command.split())
    scripted = ask(real, "EVAL", "return redis.call(unpack(ARGV))", "0", *command.split())
    assert "ERR" in scripted or "NOPERM" in scripted


@pytest.mark.parametrize(
    "command",
    [
        *("ACL WHOAMI", "CLIENT SETNAME x", "CLIENT LIST", "COMMAND COUNT", "DBSIZE", "FLUSHDB"),
        *("INFO", "KEYS *", "MEMORY USAGE x", "OBJECT HELP", "PUBLISH x y", "ROLE", "SELECT 3"),
        *("SCRIPT FLUSH", "SLOWLOG GET", "SORT x", "WAIT 0 0", "XLEN x", "FUNCTION LIST"),
    ],
)
def test_what_an_app_may(real: Running, command: str) -> None:
    """What clients, workers and dashboards need."""
    answer = ask(real, *command.split())
    assert not answer.startswith(("NOPERM", "ERR", "WRONGPASS")), answer


def test_the_client_has_the_password_in_its_environment(real: Running) -> None:
    """Not among its words, which every process of the machine sees."""
    client = real.server.client(real.one, "SET greeting 'hello  you'")
    assert PASSWORD not in " ".join(client.argv)
    argv = [word.replace(real.one.host, "127.0.0.1") for word in client.argv]
    subprocess.run(argv, env={str(name): text for name, text in client.env.items()}, check=True)
    assert ask(real, "GET", "greeting") == "hello  you"
    with pytest.raises(PaasError) as caught:
        real.server.client(real.one, "SET greeting 'hello")
    assert caught.value.reference == "redis-command"


def test_another_login_takes_the_place_of_the_first(real: Running) -> None:
    """Both work until the former one is dropped, also after a crash; then it is ended."""
    new = real.one.with_next_login(Secret("next"))
    real.server.add_login(new)
    real.server.add_login(new)
    kill(real)
    assert ask(real, "PING") == "PONG"
    assert ask(real, "PING", user=new.login, password="next") == "PONG"
    with socket.create_connection(("127.0.0.1", real.one.port)) as connection:
        connection.sendall(f"AUTH {real.one.login} {PASSWORD}\r\n".encode())
        assert connection.recv(100) == b"+OK\r\n"
        wait_for(lambda: real.server.figures(new).connections == 1)
        assert real.server.drop_former_logins(new) == 1
        connection.settimeout(150)
        assert connection.recv(100) == b""
    assert real.server.drop_former_logins(new) == 0
    assert "WRONGPASS" in ask(real, "PING")
    real.server.add_login(real.one)
    real.server.drop_former_logins(real.one)
    assert ask(real, "PING") == "PONG"
    assert "redis_curly_1234_1" not in (real.root / "conf" / "users.acl").read_text()


def test_files_are_closed_to_others(real: Running) -> None:
    """The data are its uid's alone; what is generated is root's, and no app's password is there."""
    root = real.root
    assert stat.S_IMODE((root / "data").stat().st_mode) == 0o700
    assert (root / "data").stat().st_uid == UID
    assert root.stat().st_uid == 0
    platform = root / "platform"
    assert (platform.stat().st_uid, stat.S_IMODE(platform.stat().st_mode)) == (0, 0o600)
    for path, content in contents_below(root):
        assert PASSWORD.encode() not in content, path
        assert path == platform or platform.read_bytes() not in content, path
    for name in ("redis.conf", "users.acl"):
        assert (root / "conf" / name).stat().st_uid == 0


def test_transactions_and_scripts_are_kept(real: Running) -> None:
    """After a stop and after a crash: the file is read as a user that may do all of that."""
    ask(real, "FLUSHALL")
    subprocess.run(
        ["redis-cli", "-h", "127.0.0.1", "-p", str(real.one.port), "--user", real.one.login],
        input="SET a 1\nMULTI\nSET b 2\nSET c 3\nEXEC\nEVAL \"redis.call('SET','d',4)\" 0\n"
        "FUNCTION LOAD \"#!lua name=f\\nredis.register_function('f',"
        "function() return redis.call('SET','e',5) end)\"\nFCALL f 0\n",
        env={"PATH": "/usr/bin", "REDISCLI_AUTH": PASSWORD},
        text=True,
        check=True,
        capture_output=True,
    )
    kept = {name: ask(real, "GET", name) for name in "abcde"}
    assert kept == {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}
    for again in (restart, kill):
        again(real)
        assert {name: ask(real, "GET", name) for name in "abcde"} == kept
        assert "f" in ask(real, "FUNCTION", "LIST")


def test_a_crash_loses_a_second_at_most(real: Running) -> None:
    """Of what was written until then, and it serves again within ten seconds."""
    ask(real, "SET", "count", "0")
    written: list[tuple[float, int]] = []
    with socket.create_connection(("127.0.0.1", real.one.port)) as connection:
        stream = connection.makefile("rwb", buffering=0)
        stream.write(f"AUTH {real.one.login} {PASSWORD}\r\n".encode())
        assert stream.readline() == b"+OK\r\n"
        until = time.monotonic() + 2
        while time.monotonic() < until:
            stream.write(b"INCR count\r\n")
            written.append((time.monotonic(), int(stream.readline()[1:])))
    # A disk that is slower than that is not what this is about.
    wait_for(lambda: "aof_pending_bio_fsync:0" in ask(real, "INFO", "persistence"))
    at = time.monotonic()
    kill(real)
    kept = int(ask(real, "GET", "count"))
    assert kept >= max(number for when, number in written if when < at - 1)


@pytest.fixture(params=["fake", "real"])
def told(request: pytest.FixtureRequest) -> tuple[RedisServers, Callable[[], str]]:
    """Each of them, and what its present policy is."""
    if request.param == "fake":
        fake = FakeRedis()
        return fake, lambda: fake.policies[ONE.name]
    real: Running = request.getfixturevalue("real")
    return real.redis, lambda: real.server.figures(ONE).more["Policy"]


def test_what_happens_when_it_is_full_can_be_chosen(
    told: tuple[RedisServers, Callable[[], str]],
) -> None:
    """It takes effect at once."""
    redis, policy = told
    redis.configure(replace(ONE, settings={POLICY: Policy.ALLKEYS_LRU}))
    assert policy() == "allkeys-lru"
    redis.configure(ONE)
    assert policy() == "noeviction"


def test_what_was_chosen_stays(real: Running) -> None:
    """After the next start."""
    chosen = replace(real.one, settings={POLICY: Policy.VOLATILE_TTL})
    try:
        restart(replace(real, one=chosen))
        assert real.server.figures(chosen).more["Policy"] == "volatile-ttl"
    finally:
        real.redis.configure(real.one)


def switch_of(running: Running) -> ReadOnlySwitch:
    """What makes it read-only; the fake does so itself."""
    if running.found is None:
        assert isinstance(running.server, FakeDatastoreServer)
        return running.server
    return RedisReadOnly(running.found.settings.paths)


def test_read_only_and_writable_again(running: Running) -> None:
    """It is reported in the figures, too."""
    switch = switch_of(running)
    assert not switch.is_read_only(running.one)
    switch.set_read_only(running.one, read_only=True)
    switch.set_read_only(running.one, read_only=True)
    assert switch.is_read_only(running.one)
    assert "Read only" in running.server.figures(running.one).more
    switch.set_read_only(running.one, read_only=False)
    assert not switch.is_read_only(running.one)
    assert "Read only" not in running.server.figures(running.one).more


def test_deleting_goes_on_while_it_is_read_only(real: Running) -> None:
    """A cache loses nothing by it, also over a restart, and by no change of its policy."""
    cache = replace(real, one=replace(real.one, settings={POLICY: Policy.ALLKEYS_LRU}))
    switch = switch_of(real)
    ask(real, "MSET", "a", "1", "b", "2", "c", "3")
    ask(real, "RPUSH", "jobs", "1", "2")
    real.redis.configure(cache.one)
    switch.set_read_only(cache.one, read_only=True)
    try:
        for command in (
            "SET d 4",
            "RPUSH jobs 3",
            "INCR a",
            "EVAL return(redis.call('set','d',4)) 0",
        ):
            assert "OOM" in ask(real, *command.split()), command
        restart(cache)
        assert switch.is_read_only(cache.one)
        real.redis.configure(cache.one)
        assert "OOM" in ask(real, "SET", "d", "4")
        assert ask(real, "MGET", "a", "b", "c").split() == ["1", "2", "3"]
        assert ask(real, "LPOP", "jobs") == "1"
        assert ask(real, "DEL", "a") == "1"
        assert ask(real, "EXPIRE", "b", "1000") == "1"
        assert real.server.figures(cache.one).more["Policy"] == "allkeys-lru"
    finally:
        switch.set_read_only(cache.one, read_only=False)
    assert ask(real, "SET", "d", "4") == "OK"
    assert ask(real, "EXISTS", "b", "c", "d") == "3"
    assert real.server.figures(cache.one).more["Policy"] == "allkeys-lru"
    real.redis.configure(real.one)
    ask(real, "FLUSHALL")


def test_clients_stay_connected_while_it_is_read_only(real: Running) -> None:
    """What they may keep waiting in the server is no share of the limit that is always reached."""
    switch = switch_of(real)
    ask(real, "SET", "large", "x" * 100_000)
    switch.set_read_only(real.one, read_only=True)
    try:
        many = ask(
            real,
            "EVAL",
            "local t={} for i=1,20 do t[i]=redis.call('get','large') end return t",
            "0",
        )
        assert len(many) > 2_000_000
    finally:
        switch.set_read_only(real.one, read_only=False)
        ask(real, "DEL", "large")


def test_when_it_is_full(real: Running) -> None:
    """Writes are refused, and it goes on, also while its file is written again."""
    fill = "for i = 1, ARGV[1] do redis.call('SET', 'full:' .. ARGV[2] .. ':' .. i, i) end"
    before = first_of(with_words("redis-server", uid=UID))
    answer = ""
    for batch in range(200):
        answer = ask(real, "EVAL", fill, "0", "10000", str(batch))
        if "OOM" in answer:
            break
    assert "OOM command not allowed" in answer
    platform = (real.root / "platform").read_text()
    ask(real, "BGREWRITEAOF", user="default", password=platform)
    wait_for(lambda: "aof_rewrite_in_progress:0" in ask(real, "INFO", "persistence"))
    assert "aof_last_bgrewrite_status:ok" in ask(real, "INFO", "persistence")
    assert ask(real, "GET", "full:0:1") == "1"
    assert before.is_running()


def test_a_configuration_is_tried_first(real: Running) -> None:
    """On the server that is installed; one that it refuses replaces nothing."""
    later = replace(real.one, name=DatastoreName("redis client|later"))
    before = (real.root / "conf" / "users.acl").read_text()
    with pytest.raises(PaasError) as caught:
        real.server.refresh(later)
    assert "users.acl:2: Syntax error" in " ".join(caught.value.context)
    assert (real.root / "conf" / "users.acl").read_text() == before
    assert not (real.root / "trial").exists()
    assert real.server.answers(real.one)


def test_its_log_is_written_on_after_it_was_emptied(real: Running) -> None:
    """From the beginning of the file: Redis appends."""
    log = real.root / "log" / "redis.log"
    os.truncate(log, MAX_BYTES + 1)
    assert real.found is not None
    assert DatastoreLogTrimming(real.found.settings.paths).trim(real.one) == 1
    restart(real)
    assert log.stat().st_size > 0
    assert b"\0" not in log.read_bytes()


def test_new_files_replace_those_of_an_interrupted_attempt(real: Running) -> None:
    """Whatever it left."""
    assert real.found is not None
    other = replace(real.one, id=4, uid=UID + 1, port=free_port())
    half = real.found.settings.paths.datastores / "4" / "data"
    half.mkdir(parents=True)
    (half / "dump.rdb").write_text("half")
    try:
        real.server.create(other)
        assert list(half.iterdir()) == []
    finally:
        real.server.remove(4)
