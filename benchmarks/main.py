"""The command line of benchmarks/run."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from benchmarks.bench import Bench
from benchmarks.commands import BenchError, progress
from benchmarks.disk import room
from benchmarks.figures import containers, datastores, redeploys
from benchmarks.figures.app_networks import AppNetworks
from benchmarks.figures.boot import Boot
from benchmarks.figures.cold_push import ColdPush
from benchmarks.figures.crowd import Crowd
from benchmarks.figures.dashboard import Dashboard
from benchmarks.figures.domains import Domains
from benchmarks.figures.fast_app import FastApp
from benchmarks.figures.files import Files
from benchmarks.figures.haproxy import Haproxy
from benchmarks.figures.logging import Logging
from benchmarks.figures.memory import Memory
from benchmarks.figures.neighbours import Neighbours
from benchmarks.figures.permissions import Permissions
from benchmarks.figures.resets import Resets
from benchmarks.figures.rollback import Rollback
from benchmarks.figures.servers import Servers
from benchmarks.figures.ssh_commands import SshCommands
from benchmarks.figures.start import Start
from benchmarks.figures.streams import Streams
from benchmarks.figures.throughput import Throughput
from benchmarks.figures.tree import TreeOfManyFiles
from benchmarks.figures.warm_push import LargePush, WarmPush
from benchmarks.figures.web import Web
from benchmarks.figures.websockets import WebSockets
from benchmarks.machine import describe
from benchmarks.rows import Row
from benchmarks.table import markdown, table

SOURCE = Path(__file__).resolve().parents[1]


class Figure(Protocol):
    """Something that can be measured. name: for --only."""

    @property
    def name(self) -> str: ...

    def measure(self, bench: Bench) -> list[Row]:
        """Its rows of the table."""


FIGURES: tuple[Figure, ...] = (
    WarmPush(),
    LargePush(),
    ColdPush(),
    SshCommands(),
    Permissions(),
    Start(),
    Throughput(),
    AppNetworks(),
    Files(),
    Dashboard(),
    Web(),
    Streams(),
    Domains(),
    WebSockets(),
    redeploys.FRESH,
    redeploys.KEPT,
    Rollback(),
    Haproxy(),
    FastApp(),
    Servers(),
    TreeOfManyFiles(),
    Logging(),
    Memory(),
    *datastores.FIGURES,
    *containers.FIGURES,
    Crowd(),
    Neighbours(),
    Resets(),
    Boot(),
)
# For --only: several figures by one name.
GROUPS = {"containers": tuple(figure.name for figure in containers.FIGURES)}


def main(argv: Sequence[str]) -> int:
    """Measure and print the table; returns 1 if a target is missed or a figure is missing."""
    arguments = _parser().parse_args(argv)
    if os.geteuid() != 0:
        progress(" !     The benchmarks must run as root: sudo benchmarks/run")
        return 1
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _interrupted)
    rows, broken = measure(chosen(arguments.only), arguments)
    machine = describe(SOURCE)
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    print(f"\n{table(rows)}")
    if arguments.json:
        found = {"machine": machine, "rows": [row.to_json() for row in rows], "broken": broken}
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    if arguments.markdown:
        arguments.markdown.write_text(markdown(rows, machine))
    for name, why in broken.items():
        progress(f" !     {name} could not be measured: {why}")
    return 1 if broken or any(row.met is False for row in rows) else 0


def measure(
    figures: Sequence[Figure], arguments: argparse.Namespace
) -> tuple[list[Row], dict[str, str]]:
    """The rows, and by name of a figure, the reason why it has none."""
    rows: list[Row] = []
    broken: dict[str, str] = {}
    with (
        room(arguments.dir or Path("/tmp"), own_disk=arguments.dir is None) as empty,
        Bench(SOURCE, empty, arguments.share, arguments.apps) as bench,
    ):
        for figure in figures:
            progress(f"-----> Measuring {figure.name}")
            started = time.monotonic()
            try:
                rows += figure.measure(bench)
            except (BenchError, OSError) as error:
                broken[figure.name] = str(error)
                progress(f" !     {error}")
            progress(f"       {time.monotonic() - started:.0f} s")
    return rows, broken


def chosen(only: Sequence[str] | None) -> list[Figure]:
    """The figures of these names, which may be those of groups; without any, all."""
    names = {each for name in only or _names() for each in GROUPS.get(name, (name,))}
    return [figure for figure in FIGURES if figure.name in names]


def _interrupted(_number: int, _frame: object) -> NoReturn:
    """Exit with cleanup, so that nothing is left behind."""
    sys.exit(143)


def _names() -> list[str]:
    return [figure.name for figure in FIGURES]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run",
        description="Measure the platform on a separate server, each figure with its baseline. "
        "Takes half an hour; nothing else should run meanwhile. Exits with 1 if a target "
        "is missed.",
        epilog="benchmarks/README.md describes the figures and baselines.",
    )
    add = parser.add_argument
    add(
        "--only",
        action="append",
        choices=[*_names(), *GROUPS],
        help="only this figure (repeatable)",
    )
    add("--json", type=Path, metavar="FILE", help="write all samples to this file, too")
    add("--markdown", type=Path, metavar="FILE", help="write the table to this file, too")
    add(
        "--dir",
        type=Path,
        help="work below this directory instead of on a separate ext4 in a file below /tmp",
    )
    add(
        "--share",
        type=float,
        default=1.0,
        metavar="X",
        help="make only this share of the rounds, for a quick look (such as 0.2)",
    )
    add(
        "--apps",
        type=int,
        metavar="N",
        help="create that many apps for crowd (300), boot (200) and web (100)",
    )
    return parser
