"""An S3-compatible server on loopback for tests: s3rver, from npm, over real HTTP."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paas.adapters.datastores.tls import self_signed
from paas.domain.backups.targets import S3Target
from paas.domain.values.secret import Secret
from tests.ports import free_port
from tests.waiting import wait_for

VERSION = "3.7.1"
BUCKET = "backups"
_CHECKOUT = Path(__file__).parents[3]


@contextmanager
def running_s3(
    directory: Path, *, tls: bool = False, port: int | None = None
) -> Iterator[S3Target]:
    """One bucket, whose objects are below the directory; what is there already stays.

    tls: with a certificate for localhost that signs itself, ``tls.crt`` in that directory. port:
    None: any that is free.
    """
    port, log = port or free_port(), directory / "log"
    argv = [
        *("node", str(_installed() / "node_modules" / ".bin" / "s3rver")),
        *("--directory", str(directory / "data"), "--address", "127.0.0.1"),
        *("--port", str(port), "--configure-bucket", BUCKET),
    ]
    if tls:
        if not (directory / "tls.crt").exists():
            certificate, key = self_signed("localhost")
            (directory / "tls.crt").write_bytes(certificate)
            (directory / "tls.key").write_bytes(key)
        argv += ["--cert", str(directory / "tls.crt"), "--key", str(directory / "tls.key")]
    with log.open("wb") as said:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        wait_for(lambda: b"listening" in log.read_bytes() or child.poll() is not None)
        assert child.poll() is None, log.read_text()
        endpoint = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        yield S3Target(BUCKET, endpoint, "us-east-1", "", "S3RVER", Secret("S3RVER"))
    finally:
        child.kill()
        child.wait()


def _installed() -> Path:
    """Where it is; installed once for a checkout, by the first test that needs it."""
    where = _CHECKOUT / "build" / "s3rver"
    where.mkdir(parents=True, exist_ok=True)
    with (where / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (where / "node_modules" / ".bin" / "s3rver").exists():
            subprocess.run(
                [
                    *("npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save"),
                    *("--prefix", str(where), f"s3rver@{VERSION}"),
                ],
                check=True,
                timeout=280,
            )
    return where
