"""What builds need to know of this machine: proxy, certificates and package indexes.

sshd and supervisord pass none of it on, so it goes into ``build_env`` of server.yml.
"""

import configparser
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

EXACT = frozenset(
    {
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "GIT_SSL_CAINFO",
    }
)
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"})
PREFIXES = ("PIP_", "UV_", "NPM_CONFIG_")
# They say where things of the present user or project are, and nothing about the machine.
NOT_TAKEN = re.compile(
    r"(PIP_(USER|TARGET|PREFIX|ROOT|SRC|REQUIRE_VIRTUALENV|LOG|CACHE_DIR|CONFIG_FILE|NO_INDEX)"
    r"|UV_(CACHE_DIR|PYTHON.*|PROJECT.*|WORKING_DIR|TOOL_.*|LINK_MODE|SYSTEM_PYTHON|OFFLINE|FROZEN"
    r"|LOCKED|NO_SYNC|CONFIG_FILE|ENV_FILE|PUBLISH_.*|GITHUB_TOKEN|RUN_.*|INSTALL.*|UNMANAGED_INSTALL)"
    r"|NPM_CONFIG_(PREFIX|CACHE|USERCONFIG|GLOBALCONFIG|INIT_.*))"
)
PIP_CONFIGS = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
ENVIRONMENT = Path("/etc/environment")
# update-ca-certificates(8): what was added to this machine, and what it makes of everything.
LOCAL_CERTIFICATES = Path("/usr/local/share/ca-certificates")
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, with what /etc/environment says to every login: sudo passes that not on."""
    try:
        lines = ENVIRONMENT.read_text(errors="replace").splitlines()
    except OSError:
        return dict(environ)
    # The syntax is pam_env's: an optional export, the value as it stands or in quotes.
    found = (re.fullmatch(r"\s*(?:export\s+)?(\w+)=(['\"]?)(.*?)\2\s*", line) for line in lines)
    return {match[1]: match[3] for match in found if match} | dict(environ)


def build_env(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The environment for builds, and a sentence about each setting that was left out."""
    found = {**_from_pip(_pip_config(environ), environ), **_from_environment(environ)}
    # uv and Node bring certificates of their own and read the machine's only when told.
    if "UV_NATIVE_TLS" not in found:
        found.setdefault("UV_SYSTEM_CERTS", "true")
    if any(LOCAL_CERTIFICATES.rglob("*.crt")):
        found.setdefault("NODE_EXTRA_CA_CERTS", str(CA_BUNDLE))
    taken: dict[str, str] = {}
    notes: list[str] = []
    for name, value in sorted(found.items()):
        hidden = next((path for path in _paths(value) if not readable_by_all(path)), None)
        if hidden:
            notes.append(f"{name} is not taken over for builds: apps cannot read {hidden}")
        else:
            taken[name] = value
    return taken, notes


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    def wanted(name: str) -> bool:
        upper = name.upper()
        return (name in EXACT or upper in PROXIES or upper.startswith(PREFIXES)) and (
            NOT_TAKEN.fullmatch(upper) is None
        )

    return {name: value for name, value in environ.items() if value and wanted(name)}


def _pip_config(environ: Mapping[str, str]) -> dict[str, str]:
    """The [global] section of pip's files; the later file wins."""
    values: dict[str, str] = {}
    names = [*PIP_CONFIGS, environ.get("PIP_CONFIG_FILE", "")]
    for path in [Path(name).expanduser() for name in names if name]:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path)
        except configparser.Error:
            continue
        if parser.has_section("global"):
            values |= {key.replace("_", "-"): value for key, value in parser.items("global")}
    return values


def _from_pip(config: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """pip.conf in the words of both programs: builds read no pip.conf of root's.

    pip takes the best version of all indexes together, so uv is told to do the same.
    """
    found: dict[str, str] = {}
    for key, for_uv in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("find-links", "UV_FIND_LINKS"),
        ("cert", "SSL_CERT_FILE"),
    ):
        pip_name = "PIP_" + key.upper().replace("-", "_")
        value = " ".join((environ.get(pip_name) or config.get(key, "")).split())
        if value:
            found[pip_name] = value
            found[for_uv] = value.replace(" ", ",") if key == "find-links" else value
    if "UV_INDEX" in found:
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def _paths(value: str) -> list[Path]:
    # SSL_CERT_DIR is a list with colons.
    parts = [re.sub(r"^file://", "", part) for part in re.split(r"[\s,]+|:(?=/(?!/))", value)]
    return [Path(part) for part in parts if part.startswith("/")]


def readable_by_all(path: Path) -> bool:
    """Whether any user may read the path: its own mode and those of all its parents."""
    try:
        resolved = Path(os.path.realpath(path))
        if not resolved.stat().st_mode & stat.S_IROTH:
            return False
        return untraversable(resolved) is None
    except OSError:
        return False


def untraversable(path: Path) -> Path | None:
    """The first parent that a user without rights cannot pass, or None."""
    for parent in reversed(path.resolve().parents):
        if parent.exists() and not parent.stat().st_mode & stat.S_IXOTH:
            return parent
    return None
