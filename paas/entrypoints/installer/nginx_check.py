"""What the machine's own nginx has already, where it is there before us. Standard library only."""

import hashlib
import re
import subprocess
from collections.abc import Iterator, Set
from pathlib import Path

from paas.entrypoints.installer import packages

NGINX = Path("/usr/sbin/nginx")
DEBIAN_DEFAULT_SITE = Path("/etc/nginx/sites-enabled/default")
OURS = Path("/etc/nginx/conf.d/paas.conf")

# Only an address of all interfaces is the one that we listen on, too.
_DEFAULT = re.compile(
    r"(?<![^\s{;])listen\s+(?:(?:\*|0\.0\.0\.0|\[::\]):)?([0-9]+)\s[^;]*\bdefault(?:_server)?\b"
)
_COMMENT = re.compile(r"#.*")


def problems(ports: Set[int]) -> Iterator[str]:
    """What of the machine's nginx stands in the way of a first installation, in sentences.

    In an upgrade our own files are among them, which it may be about to mend.
    """
    if not NGINX.exists() or OURS.exists():
        return
    done = subprocess.run([NGINX, "-T", "-q"], capture_output=True, text=True, check=False)
    if done.returncode:
        found = re.search(r"\[emerg\] (?:[0-9#]+: )?(.*)", done.stderr)
        why = found[1] if found else done.stderr.strip()
        yield f"nginx refuses the files that it has already: {why}"
        return
    leaves = DEBIAN_DEFAULT_SITE if untouched_default_site() else None
    for path, port in sorted(defaults(done.stdout)):
        if port in ports and path != leaves:
            yield (
                f"{path} is nginx's default_server of port {port}, which paas has to be, so that "
                "hosts of no app get no app: remove that word there (server_name stays)"
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
    """The file of Debian's welcome page, where it is switched on and nobody changed it."""
    if not DEBIAN_DEFAULT_SITE.is_symlink() or not DEBIAN_DEFAULT_SITE.exists():
        return None
    available = DEBIAN_DEFAULT_SITE.resolve()
    known = packages.run(["dpkg-query", "-W", "-f=${Conffiles}\n", "nginx-common"])
    digest = hashlib.md5(available.read_bytes(), usedforsecurity=False).hexdigest()
    return available if f"{available} {digest}" in known else None
