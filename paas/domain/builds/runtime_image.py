"""The runtime image, on which slugs run in containers: what is in it, and when it is old."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from paas.domain.values.errors import PaasError

REPOSITORY = "paas-runtime"
# What processes of apps find on a server, and buildpacks rely on.
PACKAGES = (
    "bash",
    "ca-certificates",
    "curl",
    "git",
    "media-types",
    "netbase",
    "openssh-client",
    "openssl",
    "procps",
    "python3",
    "tzdata",
)
_INSTALLED = "installed"
_LIBRARIES, _DEVELOPMENT, _HEADERS = "libs", "libdevel", "-dev"


@dataclass(frozen=True, slots=True)
class RuntimeImage:
    """One that was made. id: ``sha256:...``. name: ``paas-runtime:bookworm-20261129``."""

    id: str
    name: str
    made_at: datetime
    size_bytes: int

    def is_old(self, now: datetime, max_days: int) -> bool:
        """Whether it lacks more than max_days of security updates; 0: it never does."""
        return max_days > 0 and now - self.made_at > timedelta(days=max_days)


def runtime_name(codename: str, made_at: datetime) -> str:
    """What people see it as; the platform uses its id."""
    return f"{REPOSITORY}:{codename}-{made_at:%Y%m%d}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the server's distribution comes from, as its apt sources say.

    lines: those of the distribution, its updates and its security updates, as in sources.list.
    keyring: what the archive is signed with; None: the distribution's own.
    """

    codename: str
    mirror: str
    components: tuple[str, ...]
    lines: tuple[str, ...]
    keyring: str | None = None


def origin(codename: str, lines: Iterable[str]) -> Origin:
    """Find it among the lines of apt's sources, in the one-line style. Raises PaasError."""
    suites = {codename, f"{codename}-updates", f"{codename}-security", f"{codename}/updates"}
    found = [
        (line, entry)
        for line in lines
        if (entry := _entry(line)) is not None and entry[2] in suites and "main" in entry[3]
    ]
    first = next((entry for _, entry in found if entry[2] == codename), None)
    if first is None:
        raise PaasError(
            "runtime-image",
            f"No apt source has the distribution {codename} itself, so no runtime image can be "
            "built.",
            f"Add it to /etc/apt/sources.list: deb http://deb.debian.org/debian {codename} main",
        )
    options, mirror, _, components = first
    return Origin(
        codename, mirror, components, tuple(line for line, _ in found), options.get("signed-by")
    )


def _entry(line: str) -> tuple[dict[str, str], str, str, tuple[str, ...]] | None:
    """Options, address, suite and components of a ``deb`` line that debootstrap can use.

    None for others, and for an address with a login, which everybody would see while it is used.
    """
    kind, _, rest = line.strip().partition(" ")
    rest, options = rest.strip(), ""
    if rest.startswith("["):
        options, _, rest = rest[1:].partition("]")
    words = rest.split()
    if kind != "deb" or len(words) < 3 or not re.fullmatch(r"https?://[^@\s]+", words[0]):
        return None
    pairs = (option.partition("=") for option in options.split())
    return {name: value for name, _, value in pairs}, words[0], words[1], tuple(words[2:])


def libraries(installed: str) -> set[str]:
    """The libraries to which a build on this server can link: those of its development packages.

    installed: a line for each package: status, name, section and dependencies, between tabs.
    """
    packages = {}
    for line in installed.splitlines():
        status, name, section, depends = (*line.split("\t"), "", "", "", "")[:4]
        if status == _INSTALLED:
            packages[name] = (section.rpartition("/")[2], depends)
    needed: set[str] = set()
    for section, depends in packages.values():
        if section == _DEVELOPMENT:
            needed |= {one.split()[0].partition(":")[0] for one in _alternatives(depends)}
    # Some development packages are in the section of libraries.
    return {
        name
        for name in needed
        if packages.get(name, ("", ""))[0] == _LIBRARIES and not name.endswith(_HEADERS)
    }


def _alternatives(depends: str) -> list[str]:
    return [one for one in depends.replace("|", ",").split(",") if one.strip()]
