"""Datastores: making and forking one, its memory, its return after a crash, queries a second."""

import os
import signal
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.alternating import alternately
from benchmarks.bench import Bench
from benchmarks.commands import wait_until
from benchmarks.datastores.cgroups import cgroup
from benchmarks.datastores.kind import Kind, Load, Place
from benchmarks.datastores.mysql import Mysql
from benchmarks.datastores.postgresql import Postgresql
from benchmarks.datastores.redis import Redis
from benchmarks.plain.app import USER
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.server import Server, pss_bytes

APP = "stores"
MADE = 5
KILLED = 5
ROUNDS = 9
FORKED = 3
SETTLE_S = 2.0
# In some of which a program of the platform's may run, such as one that archives.
LOOKS = 7
SERVING_S = 10.0
MIB = 1024 * 1024
AT_LEAST = Target(Rule.RATIO_AT_LEAST, 0.98)
_AS_USER = ("setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups")
KINDS: tuple[Kind, ...] = (Postgresql(), Mysql(), Redis())


class OfKind:
    """All of one kind; queries a second against a server made by hand with the same settings."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self.name = kind.name

    def measure(self, bench: Bench) -> list[Row]:
        """On an app that was never deployed, so that nothing is rolled out."""
        bench.server.paas("apps:create", APP)
        rows = of_kind(bench, self._kind)
        bench.server.paas("apps:destroy", APP, "--confirm", APP)
        return rows


FIGURES = tuple(OfKind(kind) for kind in KINDS)


def of_kind(bench: Bench, kind: Kind) -> list[Row]:
    """All rows of one; the last one that is made is measured further."""
    server = bench.server
    made_s: list[float] = []
    count = bench.rounds(MADE)
    for number in range(count + 1):
        wait_for_quiet()
        started = time.perf_counter()
        server.paas("addons:create", kind.name, "-a", APP, "--as", "MEASURED")
        if number:  # the first one may install packages
            made_s.append(time.perf_counter() - started)
        if number < count:
            _destroy(server)
    name, datastore_id, uid = _record(server)
    place = Place.of(server.paas(kind.credentials, name, "-a", APP), _app_uid(server))
    kind.settle(server, APP)
    time.sleep(SETTLE_S)
    memory_mib = [_memory_mib(uid) for _ in range(LOOKS)]
    back_s = [_killed(kind, place, uid) for _ in range(bench.rounds(KILLED))]
    rows = [
        _row(f"{kind.name}-create", f"addons:create {kind.name}", "s", made_s, kind.create_s),
        _row(
            f"{kind.name}-memory",
            "... its memory, empty (PSS)",
            "MiB",
            memory_mib,
            kind.memory_mib,
        ),
        _row(f"{kind.name}-killed", "... serving again after kill -9", "s", back_s, SERVING_S),
    ]
    ours = server.root / "var" / "datastores" / str(datastore_id)
    folder = bench.folder(f"{kind.name}-by-hand")
    with (
        cgroup(server, "by-hand") as beside,
        cgroup(server, "load") as within,
        kind.by_hand(ours, folder, (*beside, *_AS_USER)) as plain,
    ):
        client = (*within, *place.client)
        place, plain = replace(place, client=client), replace(plain, client=client)
        for one in (place, plain):
            kind.prepare(one)
        rows += [_compared(kind, load, bench.rounds(ROUNDS), place, plain) for load in kind.loads]
    if kind.fork_s is not None:
        took_s = [_forked(server) for _ in range(bench.rounds(FORKED))]
        title = "... pg:fork of about 100 MB, until it serves"
        rows.append(_row(f"{kind.name}-fork", title, "s", took_s, kind.fork_s))
    _destroy(server)
    return rows


def _compared(kind: Kind, load: Load, rounds: int, place: Place, plain: Place) -> Row:
    """A load's queries a second."""
    found = alternately(rounds, lambda: load.rate(place), lambda: load.rate(plain))
    name, title = f"{kind.name}-{load.name}", f"... queries/s, {load.words}"
    return compared(name, title, "/s", found.ours, found.plain, AT_LEAST)


def _forked(server: Server) -> float:
    """The seconds that a fork took, which is not kept."""
    wait_for_quiet()
    started = time.perf_counter()
    name = server.paas("pg:fork", "-a", APP, "--as", "FORKED").strip()
    took_s = time.perf_counter() - started
    server.paas("addons:detach", "FORKED", "-a", APP)
    server.paas("addons:destroy", name, "-a", APP, "--confirm", name)
    return took_s


def _memory_mib(uid: int) -> float:
    """Of all processes of a uid, after a second."""
    time.sleep(1)
    return pss_bytes(_pids(uid)) / MIB


def _killed(kind: Kind, place: Place, uid: int) -> float:
    """The seconds until it serves again, after its first process was killed."""
    wait_for_quiet()
    started = time.perf_counter()
    os.kill(min(_pids(uid)), signal.SIGKILL)
    wait_until(lambda: kind.answers(place), 60, f"{kind.name} after a crash", poll_s=0.005)
    return time.perf_counter() - started


def _destroy(server: Server) -> None:
    name, _id, _uid = _record(server)
    server.paas("addons:detach", "MEASURED", "-a", APP)
    server.paas("addons:destroy", name, "-a", APP, "--confirm", name)


def _record(server: Server) -> tuple[str, int, int]:
    """Name, id and uid of the only datastore."""
    uri = f"file:{server.root}/var/state.db?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        ((name, datastore_id, uid),) = database.execute("SELECT name, id, uid FROM datastores")
    return str(name), int(datastore_id), int(uid)


def _app_uid(server: Server) -> int:
    """The uid of the app, which was never deployed."""
    uri = f"file:{server.root}/var/state.db?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        ((uid,),) = database.execute("SELECT uid FROM apps WHERE name = ?", (APP,))
    return int(uid)


def _pids(uid: int) -> list[int]:
    """The processes of a uid; its server's first one has the lowest number."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if path.stat().st_uid == uid:
                found.append(int(path.name))
        except OSError:
            continue
    return found


def _row(name: str, title: str, unit: str, samples: Sequence[float], limit: float) -> Row:
    """A figure without a baseline."""
    target = Target(Rule.VALUE_AT_MOST, limit)
    note = f"n={len(samples)}, {min(samples):.2f} to {max(samples):.2f}"
    return Row(name, title, unit, median(samples), None, target, note, samples={"ours": samples})
