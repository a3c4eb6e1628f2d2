"""What the tests of the launcher start processes with."""

import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.uids import free_uid

LAUNCH = Path(__file__).parents[3] / "paas" / "entrypoints" / "launch.py"
_numbers = itertools.count()


class Launcher:
    """A platform directory with one slug, and specs for it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.slug = root / "var" / "slugs" / "s1"
        self.uid = free_uid()
        for name in ("etc", "run/crash", "var/slugs/s1/bin", "logs", "opt/python"):
            (root / name).mkdir(parents=True)
        (root / "etc" / "secret").write_text("secret")
        (self.slug / "hello.txt").write_text("hello\n")
        for path in (self.slug, *self.slug.rglob("*")):
            os.chown(path, self.uid, self.uid)

    def spec(self, *argv: str, **changes: Any) -> Path:
        """Write a spec that runs argv, and return its path."""
        spec: dict[str, Any] = {
            "label": "web.1",
            "argv": argv,
            "env": {"PATH": "/usr/local/bin:/usr/bin:/bin"},
            "uid": self.uid,
            "slug": str(self.slug),
            "writable_slug": False,
            "binds": [],
            "hide": [str(self.root / name) for name in ("etc", "var", "run", "opt")],
            "scratch_mib": 16,
            "limits": {"nofile": 4096, "core": 0},
            "cgroups": [],
            "log_fifo": None,
            "app_log": None,
            "crash_file": None,
            "separate": False,
        }
        path = self.root / "run" / f"spec-{next(_numbers)}.json"
        path.write_text(json.dumps(spec | changes))
        return path

    def command(self, spec: Path) -> list[str]:
        """The launcher's own command line."""
        return ["/usr/bin/python3", "-I", "-S", str(LAUNCH), str(spec)]

    def run(self, *argv: str, **changes: Any) -> "subprocess.CompletedProcess[bytes]":
        """Launch argv and wait for its end."""
        return subprocess.run(
            self.command(self.spec(*argv, **changes)),
            capture_output=True,
            check=False,
            timeout=200,
            stdin=subprocess.DEVNULL,
        )

    def sh(self, script: str, **changes: Any) -> str:
        """What a shell script prints, launched; it must not fail."""
        result = self.run("/bin/bash", "-c", script, **changes)
        assert result.returncode == 0, result
        return result.stdout.decode()

    @contextmanager
    def running(self, script: str, **changes: Any) -> "Iterator[subprocess.Popen[bytes]]":
        """A launched shell script that has printed its first line; killed at the end."""
        process = subprocess.Popen(
            self.command(self.spec("/bin/bash", "-c", script, **changes)), stdout=subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
