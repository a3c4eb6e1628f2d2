"""Checks of an nginx that was on the machine before the installation. Standard library only."""

import hashlib
import re
import subprocess
from collections.abc import Iterator, Set
from pathlib import Path

from paas.entrypoints.installer import packages

NGINX = Path("/usr/sbin/nginx")
DEBIAN_DEFAULT_SITE = Path("/etc/nginx/sites-enabled/default")
OURS = Path("/etc/nginx/conf.d/paas.conf")

# Only listening on all interfaces conflicts with ours.
_DEFAULT = re.compile(
    r"(?<![^\s{;])listen\s+(?:(?:\*|0\.0\.0\.0|\[::\]):)?([0-9]+)\s[^;]*\bdefault(?:_server)?\b"
)
_COMMENT = re.compile(r"#.*")


def problems(ports: Set[int]) -> Iterator[str]:
    """What in the machine's nginx prevents a first installation, in sentences.

    Not for upgrades: our own files are among them then, and the upgrade may repair them.
    """
    if not NGINX.exists() or OURS.exists():
        return
    done = subprocess.run([NGINX, "-T", "-q"], capture_output=True, text=True, check=False)
    if done.returncode:
        found = re.search(r"\[emerg\] (?:[0-9#]+: )?(.*)", done.stderr)
        why = found[1] if found else done.stderr.strip()
        yield f"nginx refuses its present configuration: {why}"
        return
    leaves = DEBIAN_DEFAULT_SITE if untouched_default_site() else None
    for path, port in sorted(defaults(done.stdout)):
        if port in ports and path != leaves:
            yield (
                f"{path} is nginx's default_server of port {port}; that has to be paas, so that "
                "unknown hosts reach no app: remove the word default_server there"
            )


def defaults(dump: str) -> set[tuple[Path, int]]:
    """Which files say ``default_server`` of which port, in what ``nginx -T`` prints."""
    parts = re.split(r"^# configuration file (.+):$", dump, flags=re.MULTILINE)
    return {
        (Path(path), int(port))
        for path, text in zip(parts[1::2], parts[2::2], strict=True)
        for port in _DEFAULT.findall(_COMMENT.sub("", text))
    }


def untouched_default_site() -> Path | None:
    """The file of Debian's welcome page, if it is enabled and unchanged."""
    if not DEBIAN_DEFAULT_SITE.is_symlink() or not DEBIAN_DEFAULT_SITE.exists():
        return None
    available = DEBIAN_DEFAULT_SITE.resolve()
    known = packages.run(["dpkg-query", "-W", "-f=${Conffiles}\n", "nginx-common"])
    digest = hashlib.md5(available.read_bytes(), usedforsecurity=False).hexdigest()
    return available if f"{available} {digest}" in known else None
