"""Boots each kernel in a virtual machine, has it run tests, and says how each ended."""

import argparse
import os
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.kernels.initramfs import write_initramfs
from tests.kernels.machine import run_machine
from tests.kernels.packages import Kernel, unpack

CHECKOUT = Path(__file__).parents[2]
# The tests whose outcome depends on the kernel, the same as on the machine itself.
TESTS = (
    "tests/kernels",
    "tests/contract/launcher",
    "tests/contract/network/test_firewall.py",
    "tests/contract/runtime/test_resource_limits.py",
)
# With one processor, a test takes longer.
OPTIONS = ("-v", "--color=no", "--override-ini=timeout=600")
_NICE = 15
_ENDED = re.compile(r"kernel \S+ ended with (\d+)")
_SUMMARY = re.compile(r"=* ?(\d+ (?:passed|failed|error|skipped|deselected).* in [\d.]+s.*?) ?=*")


def main(argv: Sequence[str]) -> int:
    """Run the tests on each kernel; returns 1 if a test fails or a machine does not end."""
    parser = argparse.ArgumentParser(
        prog="tests/kernels/run",
        description=__doc__,
        epilog="What follows -- goes to pytest, instead of the usual tests.",
    )
    parser.add_argument("packages", nargs="+", type=Path, metavar="KERNEL.deb")
    parser.add_argument("--limit-s", type=float, default=3600, help="of each kernel (%(default)s)")
    own, tests = list(argv), list(TESTS)
    if "--" in own:
        place = own.index("--")
        own, tests = own[:place], own[place + 1 :]
    options = parser.parse_args(own)
    # As an exception, so that what was made is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.nice(_NICE)
    outcomes = {}
    with tempfile.TemporaryDirectory(prefix="paas-kernels-", dir="/var/tmp") as name:
        for kernel in unpack(options.packages, Path(name)):
            words = [*OPTIONS, *tests]
            outcomes[kernel.version] = _try(kernel, words, Path(name), limit_s=options.limit_s)
    for version, (_, summary) in outcomes.items():
        print(f"{version}: {summary}")
    return 0 if outcomes and all(status == 0 for status, _ in outcomes.values()) else 1


def _try(
    kernel: Kernel, words: Sequence[str], directory: Path, *, limit_s: float
) -> tuple[int | None, str]:
    """Pytest's exit status and its last line; None where it did not come to that."""
    print(f"-----> Booting {kernel.version}", flush=True)
    initramfs = directory / "initramfs"
    write_initramfs(kernel, words, initramfs)
    disk = directory / "disk"
    lines = run_machine(kernel, initramfs, CHECKOUT, disk, limit_s=limit_s)
    disk.unlink()
    status, summary = None, "the machine ended before the tests did"
    for line in lines:
        if ended := _ENDED.fullmatch(line):
            status = int(ended[1])
        elif found := _SUMMARY.fullmatch(line):
            summary = found[1]
    return status, summary


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
