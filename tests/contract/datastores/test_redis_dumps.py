"""Dumps of Redis: the same checks on the fake and on the real programs; what comes in is whole, or
nothing changes.
"""

import gzip
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paas.adapters.datastores.places import Places
from paas.adapters.datastores.redis import exchange, programs
from paas.adapters.datastores.redis.dumps import RedisDumps
from paas.adapters.datastores.redis.server import RedisServer
from paas.adapters.system.files import read_bytes
from paas.domain.values.errors import PaasError
from paas.interfaces.dumps import DatastoreDumps
from tests.contract.datastores.keeping import (
    OBJECT,
    has_process,
    keeping,
    kill_in_the_middle,
    leaves_nothing_on_a_full_disk,
    refuses_what_was_spoiled,
    stalled,
)
from tests.contract.datastores.serving import LIMIT_S, serving
from tests.contract.datastores.test_redis import ONE, Running, ask
from tests.contract.runtime.supervisor_server import running_supervisor
from tests.fakes.datastores import FakeDumps
from tests.fakes.output import FakeProgress
from tests.waiting import wait_for

CANARY = "canary-of-an-app"
USUAL = {"conf", "data", "lock", "log", "platform", "rendered.json", "tls"}
# More than a mebibyte, whatever Redis compresses.
FILL = "for i = 1, 40000 do redis.call('SET', 'noise:' .. i, redis.sha1hex(i)) end"


@dataclass
class Dumping:
    """A datastore with the key ``kept``. running: None with the fake."""

    dumps: DatastoreDumps
    running: Running | None

    def load(self, content: bytes) -> None:
        """Load a dump that comes in."""
        with self.dumps.spool() as spool:
            for start in range(0, len(content), 100_000):
                spool.write(content[start : start + 100_000])
            self.dumps.load(ONE, spool, lambda _text: None)

    def dumped(self) -> bytes:
        """A dump of it."""
        return b"".join(self.dumps.dump(ONE))

    def ask(self, *words: str) -> str:
        """What Redis answers to an app."""
        assert self.running is not None
        return ask(self.running, *words)

    @property
    def socket(self) -> Path:
        """Of the server; no other one has it."""
        assert self.running is not None
        assert self.running.found is not None
        return self.running.found.settings.paths.datastore_sockets / "3"

    def pid(self) -> int:
        """Of the server, as it tells it itself; 0 if it does not."""
        found = re.search(r"process_id:(\d+)", self.ask("INFO", "server"))
        return int(found[1]) if found else 0

    def files(self) -> set[str]:
        """What there is beside the data."""
        assert self.running is not None
        return {path.name for path in self.running.root.iterdir()}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """One Redis for all tests."""
    programs.ensure_installed(FakeProgress())
    with running_supervisor() as found:
        redis = RedisServer(found.settings)
        with serving(redis, found.runtime, ONE):
            yield Running(redis, found.runtime, found)


@pytest.fixture
def real(server: Running) -> Dumping:
    """Redis itself."""
    assert server.found is not None
    ask(server, "FLUSHALL")
    ask(server, "SET", "kept", "x" * 500, "EX", "1000")
    return Dumping(RedisDumps(server.found.settings, server.server, server.runtime), server)


@pytest.fixture(params=["fake", "real"])
def dumping(request: pytest.FixtureRequest) -> Dumping:
    """Each of them."""
    if request.param == "real":
        found: Dumping = request.getfixturevalue("real")
        return found
    fake = FakeDumps()
    fake.content[ONE.name] = b"PGDMP a key"
    return Dumping(fake, None)


def test_a_dump_is_whole_and_comes_back(dumping: Dumping) -> None:
    """What was changed since is as before."""
    dump = dumping.dumped()
    with dumping.dumps.checking(ONE) as check:
        check(dump[:1])
        check(dump[1:])
    dumping.dumps.empty(ONE, lambda _text: None)
    assert dumping.dumps.is_empty(ONE)
    dumping.load(dump)
    assert not dumping.dumps.is_empty(ONE)
    assert not dumping.dumps.tidy(ONE)


def test_what_is_no_dump_changes_nothing(dumping: Dumping) -> None:
    """Nor does half of one."""
    dump = dumping.dumped()
    for bad in (b"", b"\x00\x01\x02", b"SELECT 0\n"):
        with pytest.raises(PaasError) as caught:
            dumping.load(bad)
        assert caught.value.reference == "dump-not-loaded"
    assert not dumping.dumps.is_empty(ONE)
    assert not dumping.dumps.tidy(ONE)
    assert dumping.dumped()[:5] == dump[:5]


def test_all_of_it_comes_back(real: Dumping) -> None:
    """Keys, how long they live, functions; the AOF goes on from there."""
    running = real.running
    assert running is not None
    code = "#!lua name=f\nredis.register_function('f', function() return 5 end)"
    real.ask("FUNCTION", "LOAD", "REPLACE", code)
    real.ask("RPUSH", "list", "a", "b")
    dump = real.dumped()
    assert dump.startswith(b"REDIS")
    real.ask("FLUSHALL")
    real.ask("FUNCTION", "FLUSH")
    real.ask("SET", "later", "1")
    real.load(dump)
    assert sorted(real.ask("KEYS", "*").split()) == ["kept", "list"]
    assert 0 < int(real.ask("TTL", "kept")) <= 1000
    assert real.ask("FCALL", "f", "0") == "5"
    assert real.files() == USUAL
    real.ask("SET", "more", "1")
    before = real.pid()
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: running.server.answers(ONE) and real.pid() != before)
    assert sorted(real.ask("KEYS", "*").split()) == ["kept", "list", "more"]


def test_each_form(real: Dumping) -> None:
    """Compressed, and with the mark that redis-cli leaves after the end on its standard output."""
    dump = real.dumped()
    for form in (gzip.compress(dump), dump + b"0123456789" * 4):
        real.ask("FLUSHALL")
        real.load(form)
        assert real.ask("KEYS", "*") == "kept"


@pytest.mark.parametrize(
    ("spoil", "reference"),
    [
        (lambda dump: dump[: len(dump) // 2], "dump-not-loaded"),
        (lambda dump: dump[:-3], "dump-not-loaded"),
        (lambda dump: dump[:-60] + b"x" + dump[-59:], "dump-not-loaded"),
        (lambda dump: b"REDIS9999" + dump[9:], "dump-not-loaded"),
        (lambda _dump: bytes(257 * 1024**2), "redis-dump-too-large"),
    ],
)
def test_what_is_no_whole_dump(
    real: Dumping, spoil: Callable[[bytes], bytes], reference: str
) -> None:
    """Half of one, a changed one, one of a later version: nothing is kept, and nothing changes."""
    spoiled = spoil(real.dumped())
    with pytest.raises(PaasError) as caught:
        real.load(spoiled)
    assert caught.value.reference == reference
    with pytest.raises(PaasError, match="is incomplete"), real.dumps.checking(ONE) as check:
        check(spoiled[:1_000_000])
    assert real.ask("KEYS", "*") == "kept"
    assert real.files() == USUAL


@pytest.mark.parametrize(("at", "keys"), [("prepared", "old"), ("aside", "old"), ("done", "new")])
def test_a_killed_load_leaves_whole_or_nothing(
    real: Dumping, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at: str, keys: str
) -> None:
    """What looks after datastores starts it on the former data or the new ones; nothing is left."""
    running = real.running
    assert running is not None
    real.ask("RENAME", "kept", "new")
    dump = real.dumped()
    real.ask("RENAME", "new", "old")
    there, exchange_data = tmp_path / "there", exchange.exchange

    def stall(places: Places) -> None:
        if at == "aside":
            (running.root / "data").rename(running.root / "former")
        if at == "done":
            exchange_data(places)
        there.touch()
        signal.pause()

    monkeypatch.setattr(exchange, "exchange", stall)
    kill_in_the_middle(lambda: real.load(dump), begun=there.exists)
    monkeypatch.undo()
    assert not running.server.answers(ONE)
    assert real.dumps.tidy(ONE)
    running.server.set_up(ONE, LIMIT_S)
    assert real.ask("KEYS", "*") == keys
    assert real.files() == USUAL


def test_a_dump_that_the_server_does_not_come_up_with(
    real: Dumping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former data are put back."""
    running = real.running
    assert running is not None
    dump = real.dumped()
    real.ask("RENAME", "kept", "old")

    def fail(*_arguments: object) -> None:
        raise PaasError("datastore-not-started", "It did not answer.")

    monkeypatch.setattr(running.server, "set_up", fail)
    with pytest.raises(PaasError, match="did not answer"):
        real.load(dump)
    monkeypatch.undo()
    running.server.set_up(ONE, LIMIT_S)
    assert real.ask("KEYS", "*") == "old"
    assert not real.dumps.tidy(ONE)
    assert real.files() == USUAL


def test_emptying_leaves_nothing(real: Dumping) -> None:
    """Neither in memory nor in its files."""
    assert real.running is not None
    data = real.running.root / "data"
    real.ask("SET", "secret", CANARY)
    real.dumps.empty(ONE, lambda _text: None)
    assert real.ask("DBSIZE") == "0"
    assert real.ask("FUNCTION", "LIST") == ""

    def in_files() -> bool:
        found = (read_bytes(path) or b"" for path in data.rglob("*.aof"))  # some are renamed
        return any(CANARY.encode() in content for content in found)

    wait_for(lambda: not in_files())


def test_a_killed_dump_leaves_nothing(real: Dumping, tmp_path: Path) -> None:
    """Neither an object nor a process nor a file; the next one is whole."""
    kept = keeping(real.dumps, ONE, tmp_path)
    begun = tmp_path / "begun"

    def parts() -> Iterator[bytes]:
        for data in stalled(real.dumps.dump(ONE)):
            begun.touch()
            yield data

    def work() -> None:
        kept.objects.write(OBJECT, parts())

    kill_in_the_middle(work, begun=begun.exists)
    wait_for(lambda: not has_process("redis-cli", str(real.socket)))
    assert kept.names() == []
    assert real.files() == USUAL
    kept.keep()
    assert kept.names() == [OBJECT]


def test_what_was_spoiled_at_the_target(real: Dumping, tmp_path: Path) -> None:
    """It is refused, and all is as before."""
    kept = keeping(real.dumps, ONE, tmp_path)
    refuses_what_was_spoiled(kept)
    assert real.ask("KEYS", "*") == "kept"
    assert real.files() == USUAL


def test_a_full_disk_at_the_target(real: Dumping, tmp_path: Path) -> None:
    """Nothing is kept."""
    real.ask("EVAL", FILL, "0")
    leaves_nothing_on_a_full_disk(keeping(real.dumps, ONE, tmp_path))
    assert real.files() == USUAL
