"""The installed code: one directory a version under opt/versions, ``opt/current`` names the one.

A version is complete when its file ``complete`` exists; anything else is left over from an
interrupted installation, and is removed by the next.
"""

import compileall
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from paas.adapters.system.files import sync_file_system
from paas.entrypoints.installer.plan import SYSTEM_PYTHON, InstallError, Plan
from paas.paths import Paths

CODE = ("paas", "hooks", "buildpacks", "nginx-templates", "haproxy-templates", "examples")
FILES = ("pyproject.toml", "uv.lock", "README.md")
VERSIONS_KEPT = 2


def install_version(plan: Plan) -> Path:
    """Copy the code and make its venv in a new version directory; returns it, not yet current."""
    version = new_directory(plan.paths.versions)
    _copy_code(Path(plan.source), version)
    _make_venv(version, plan.paths.current)
    _compile_templates(version)
    sync_file_system(version)  # a power failure must not leave empty files in a complete version
    (version / "complete").touch()
    return version


def new_directory(versions: Path) -> Path:
    """The empty directory of the next version; what an interrupted installation left is removed."""
    versions.mkdir(parents=True, exist_ok=True)
    for left in _numbered(versions):
        if not (left / "complete").exists():
            shutil.rmtree(left)
    number = max((int(path.name) for path in _numbered(versions)), default=0) + 1
    version = versions / str(number)
    version.mkdir(mode=0o755)
    return version


def _numbered(versions: Path) -> list[Path]:
    return [path for path in versions.iterdir() if path.name.isdigit()]


def _copy_code(source: Path, version: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in CODE:
        if (source / name).is_dir():
            shutil.copytree(source / name, version / name, symlinks=True, ignore=ignored)
    for name in FILES:
        shutil.copy(source / name, version / name)
    # After a checkout with umask 077, apps could not read the buildpacks.
    subprocess.run(["chmod", "-R", "u+rwX,go+rX,go-w", str(version)], check=True)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "--no-dereference", "root:root", str(version)], check=True)
    compileall.compile_dir(version / "paas", quiet=2, workers=1)


def _make_venv(version: Path, current: Path) -> None:
    venv = version / "venv"
    env = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "UV_PYTHON"}}
    env |= {"UV_PROJECT_ENVIRONMENT": str(venv), "UV_COMPILE_BYTECODE": "1", "UV_NO_PROGRESS": "1"}
    # In the version: what an interrupted installation leaves of it goes with the next.
    with tempfile.TemporaryDirectory(prefix="uv-", dir=version) as scratch:
        argv = [_uv(version / "uv.lock", current, Path(scratch)), "sync", "--quiet"]
        argv += ["--project", str(version), "--frozen", "--no-dev", "--no-install-project"]
        argv += ["--extra", "server", "--python", str(SYSTEM_PYTHON), "--no-python-downloads"]
        if "UV_NATIVE_TLS" not in env and "SSL_CERT_FILE" not in env:
            env.setdefault("UV_SYSTEM_CERTS", "true")
        env["TMPDIR"] = scratch  # uv leaves the lock of each environment there
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallError(
            f"The server's virtual environment could not be made:\n{done.stderr[-3000:]}",
            "Check that the package index is reachable. Proxy, certificates and index come from "
            "the environment: HTTPS_PROXY, SSL_CERT_FILE, UV_DEFAULT_INDEX.",
        )
    site_packages = next(venv.glob("lib/python3*/site-packages"))
    (site_packages / "paas.pth").write_text(f"{version}\n")


def _compile_templates(version: Path) -> None:
    """Keep their bytecode, as that of modules; without it each process would compile them."""
    argv = [str(version / "venv/bin/python"), "-I", "-m", "paas.entrypoints.installer.templates"]
    argv += [str(version / name) for name in CODE if name.endswith("-templates")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallError(
            f"The templates of the proxies could not be compiled:\n{done.stderr[-3000:]}",
            "Install from a complete copy of the project.",
        )


def uv_requirement(lock: str) -> tuple[str, str]:
    """The version of uv in uv.lock, and the line with its hashes by which pip accepts only that.

    The uv that pip installs here runs as root and verifies all other packages.
    """
    match = re.search(r'name = "uv"\nversion = "([^"]+)"\n(.*?)(?:\n\n|\Z)', lock, re.DOTALL)
    hashes = re.findall(r'hash = "(sha256:[0-9a-f]{64})"', match[2]) if match else []
    if match is None or not hashes:
        raise InstallError("uv.lock does not name a version of uv with its hashes.")
    return match[1], " ".join([f"uv=={match[1]}", *(f"--hash={found}" for found in hashes)])


def _uv(lock: Path, current: Path, scratch: Path) -> str:
    """uv in exactly the version of uv.lock: from PATH, the installed paas, or the package index."""
    wanted, requirement = uv_requirement(lock.read_text())
    for candidate in (shutil.which("uv"), str(current / "venv/bin/uv")):
        if candidate and _uv_version(candidate) == wanted:
            return candidate
    venv, listed = scratch / "venv", scratch / "uv.txt"
    listed.write_text(requirement)
    install = ["install", "--quiet", "--no-deps", "--require-hashes", "--requirement", str(listed)]
    for argv in (
        [str(SYSTEM_PYTHON), "-m", "venv", str(venv)],
        [str(venv / "bin/python"), "-m", "pip", *install],
    ):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InstallError(
                f"uv {wanted} could not be installed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}",
                "Check that the package index is reachable. pip's own settings apply: pip.conf,  "
                "PIP_*.",
            )
    return str(venv / "bin/uv")


def _uv_version(program: str) -> str | None:
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    words = shown.stdout.split()
    return words[1] if len(words) > 1 else None


def make_current(paths: Paths, version: Path) -> None:
    """Point opt/current at a version, in one step."""
    new = paths.current.with_name(".current.new")
    new.unlink(missing_ok=True)
    new.symlink_to(version.relative_to(paths.opt))
    new.replace(paths.current)


def prune(paths: Paths) -> list[str]:
    """Remove old versions, except the last one and those that a process still uses."""
    current = paths.current.resolve()
    newest = sorted(_numbered(paths.versions), key=lambda path: int(path.name), reverse=True)
    kept = {current, *newest[:VERSIONS_KEPT]}
    in_use = _command_lines()
    removed = []
    for version in newest:
        if version not in kept and f"{version}/" not in in_use:
            (version / "complete").unlink(missing_ok=True)
            shutil.rmtree(version)
            removed.append(version.name)
    return removed


def _command_lines() -> str:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(lines)
