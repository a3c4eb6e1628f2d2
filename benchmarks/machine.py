"""Describes the machine of the measurements."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.commands import BenchError, run


def describe(source: Path) -> dict[str, str]:
    """Date, commit, processor, memory, system and the versions of the relevant programs."""
    cpu = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    release = re.search(r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release").read_text(), re.M)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(source),
        "cores": f"{os.cpu_count()} x {cpu[1] if cpu else 'unknown'}",
        "memory": f"{int(memory[1]) // 1024 if memory else 0} MiB",
        "system": f"{release[1] if release else 'unknown'}, Linux {platform.release()}",
        "programs": ", ".join(
            _version(*argv)
            for argv in (
                ("git", "--version"),
                ("ssh", "-V"),
                ("/usr/sbin/nginx", "-v"),
                ("/usr/bin/python3", "-V"),
            )
        ),
    }


def _commit(source: Path) -> str:
    try:
        commit = run(["git", "-C", source, "rev-parse", "--short", "HEAD"]).strip()
        changed = run(["git", "-C", source, "status", "--porcelain"]).strip()
    except BenchError:
        return "unknown"
    return f"{commit}{' with changes' if changed else ''}"


def _version(*argv: str) -> str:
    shown = run(["sh", "-c", '"$@" 2>&1', "sh", *argv])
    return shown.strip().partition("\n")[0]
