"""The settings of this machine that builds need: proxy, certificates and package indexes.

sshd and supervisord do not pass them on, so they are written to ``build_env`` of server.yml.
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
# These are paths of the present user or project, not settings of the machine.
NOT_TAKEN = re.compile(
    r"(PIP_(USER|TARGET|PREFIX|ROOT|SRC|REQUIRE_VIRTUALENV|LOG|CACHE_DIR|CONFIG_FILE|NO_INDEX)"
    r"|UV_(CACHE_DIR|PYTHON.*|PROJECT.*|WORKING_DIR|TOOL_.*|LINK_MODE|SYSTEM_PYTHON|OFFLINE|FROZEN"
    r"|LOCKED|NO_SYNC|CONFIG_FILE|ENV_FILE|PUBLISH_.*|GITHUB_TOKEN|RUN_.*|INSTALL.*|UNMANAGED_INSTALL)"
    r"|NPM_CONFIG_(PREFIX|CACHE|USERCONFIG|GLOBALCONFIG|INIT_.*))"
)
PIP_CONFIGS = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
ENVIRONMENT = Path("/etc/environment")
# update-ca-certificates(8): the certificates added to this machine, and the bundle of all.
LOCAL_CERTIFICATES = Path("/usr/local/share/ca-certificates")
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with /etc/environment, which applies to every login but not through sudo."""
    try:
        lines = ENVIRONMENT.read_text(errors="replace").splitlines()
    except OSError:
        return dict(environ)
    # The syntax is pam_env's: an optional export, the value literal or in quotes.
    found = (re.fullmatch(r"\s*(?:export\s+)?(\w+)=(['\"]?)(.*?)\2\s*", line) for line in lines)
    return {match[1]: match[3] for match in found if match} | dict(environ)


def build_env(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The environment for builds, and a sentence about each setting that is left out."""
    found = {**_from_pip(_pip_config(environ), environ), **_from_environment(environ)}
    # uv and Node have their own certificates and read the machine's only if told to.
    if "UV_NATIVE_TLS" not in found:
        found.setdefault("UV_SYSTEM_CERTS", "true")
    if any(LOCAL_CERTIFICATES.rglob("*.crt")):
        found.setdefault("NODE_EXTRA_CA_CERTS", str(CA_BUNDLE))
    taken: dict[str, str] = {}
    notes: list[str] = []
    for name, value in sorted(found.items()):
        hidden = next((path for path in _paths(value) if not readable_by_all(path)), None)
        if hidden:
            notes.append(f"{name} is not passed to builds, because apps cannot read {hidden}")
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
    """The [global] section of pip's files; later files take precedence."""
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
    """pip.conf as settings of pip and uv: builds do not read root's pip.conf.

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
    """Whether every user may read the path, by its mode and those of its parents."""
    try:
        resolved = Path(os.path.realpath(path))
        if not resolved.stat().st_mode & stat.S_IROTH:
            return False
        return untraversable(resolved) is None
    except OSError:
        return False


def untraversable(path: Path) -> Path | None:
    """The first parent that an unprivileged user cannot enter, or None."""
    for parent in reversed(path.resolve().parents):
        if parent.exists() and not parent.stat().st_mode & stat.S_IXOTH:
            return parent
    return None
