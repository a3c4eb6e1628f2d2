"""A fresh copy of the server's distribution, by debootstrap and apt: the runtime image.

All of it runs in a mount namespace and a PID namespace of its own: when it ends, however it ends,
its mounts and processes are gone, so that deleting the directory deletes nothing else.
"""

import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from paas.adapters.builds.apt_sources import one_line_style
from paas.adapters.system import files, subprocesses
from paas.domain.builds.runtime_image import PACKAGES, Origin, libraries, origin
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.settings import Settings

APT = Path("/etc/apt")
DEBOOTSTRAP = "/usr/sbin/debootstrap"
# Certificates that the administrator added: apps trust them natively, too.
_AUTHORITIES = "usr/local/share/ca-certificates"
# It ends with its caller, too.
_APART = (
    *("/usr/bin/setpriv", "--pdeathsig", "KILL"),
    *("/usr/bin/unshare", "--mount", "--propagation", "private", "--pid", "--fork"),
    "--kill-child=KILL",
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LIMIT_S = 3_600.0
# What belongs to a machine, or is fetched again.
_LEFT_OUT = (
    *("etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/machine-id", "usr/sbin/policy-rc.d"),
    *("var/cache/apt", "var/lib/apt/lists", "var/log/apt", "var/log/dpkg.log"),
    *("var/log/bootstrap.log", "var/cache/debconf"),
)
_OPTIONS = ("-qq", "--yes", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root")
_NO_SERVICES = "#!/bin/sh\nexit 101\n"


def codename() -> str:
    """Of the server's distribution: ``bookworm``. Raises PaasError if it has none."""
    try:
        return platform.freedesktop_os_release()["VERSION_CODENAME"]
    except (KeyError, OSError) as error:
        raise PaasError(
            "runtime-image",
            "/etc/os-release names no VERSION_CODENAME, so no runtime image can be made.",
        ) from error


class Bootstrap:
    """Makes the file system of the runtime image."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def fill(self, target: Path, check: Callable[[], None]) -> None:
        """Fill an empty directory; takes minutes. Raises PaasError with the last lines."""
        if not Path(DEBOOTSTRAP).exists():
            raise PaasError(
                "runtime-image",
                "The runtime image is made by debootstrap, which is not installed.",
                "sudo apt-get install debootstrap",
            )
        source = origin(codename(), _sources(APT))
        env = {
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            "HOME": "/root",
            **self._settings.build_env,
            "PATH": _PATH,
        }

        def apt(action: str, *words: str) -> None:
            argv = _chroot(target, "apt-get", *_OPTIONS, action, *words)
            _run(argv, f"apt-get {action}", env, check)

        _run(_debootstrap(source, target), "debootstrap", env, check)
        _prepare(source, target)
        apt("update")
        apt("dist-upgrade")
        apt("install", "--no-install-recommends", "--", *self._packages(target, env))
        authorities = "update-ca-certificates"
        _run(_chroot(target, authorities), authorities, env, check)
        for name in _LEFT_OUT:
            path = target / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _packages(self, target: Path, env: Mapping[str, str]) -> list[str]:
        """What is installed beside the essential. Raises PaasError if a chosen one is unknown."""
        shown = "${db:Status-Status}\t${Package}\t${Section}\t${Depends}\n"
        here = _answer(["/usr/bin/dpkg-query", "-W", "-f", shown], "dpkg-query", env)
        there = set(_answer(_chroot(target, "apt-cache", "pkgnames"), "apt-cache", env).split())
        chosen = set(self._settings.runtime_packages)
        if unknown := sorted(chosen - there):
            raise PaasError(
                "runtime-image",
                f"The distribution does not have {', '.join(unknown)} (runtime_packages).",
                "Correct runtime_packages in server.yml.",
            )
        return sorted(chosen | ({*PACKAGES, *libraries(here)} & there))


def _run(
    argv: Sequence[str | Path], what: str, env: Mapping[str, str], check: Callable[[], None]
) -> None:
    try:
        subprocesses.run(
            argv,
            description=what,
            timeout_s=_LIMIT_S,
            env=env,
            cwd=Path("/"),
            interrupt=check,
        )
    except (ProgramFailedError, TimedOutError) as error:
        raise PaasError(
            "runtime-image",
            f"The runtime image could not be built. {error.message}",
            "The server must reach its own apt sources: sudo apt-get update",
            context=error.context,
        ) from error


def _debootstrap(source: Origin, target: Path) -> list[str | Path]:
    keyring = [] if source.keyring is None else [f"--keyring={source.keyring}"]
    components = f"--components={','.join(source.components)}"
    words = ["--variant=minbase", components, *keyring]
    return [*_APART, DEBOOTSTRAP, *words, source.codename, target, source.mirror]


def _chroot(target: Path, *words: str) -> list[str | Path]:
    return [*_APART, f"--mount-proc={target}/proc", "/usr/sbin/chroot", target, *words]


def _answer(argv: Sequence[str | Path], what: str, env: Mapping[str, str]) -> str:
    done = subprocesses.run(
        argv, description=what, timeout_s=60.0, env=env, cwd=Path("/"), errors_apart=True
    )
    return done.output.decode("utf-8", "replace")


def _prepare(source: Origin, target: Path) -> None:
    """Before apt runs inside: the server's sources, keys and authorities; no service is started."""
    lines = "".join(f"{line}\n" for line in source.lines)
    files.write_atomic(target / "etc/apt/sources.list", lines, mode=0o644, durable=False)
    policy = target / "usr/sbin/policy-rc.d"
    files.write_atomic(policy, _NO_SERVICES, mode=0o755, durable=False)
    for name in (_AUTHORITIES, "etc/apt/keyrings", "etc/apt/trusted.gpg.d"):
        if Path("/", name).is_dir():
            shutil.copytree(Path("/", name), target / name, dirs_exist_ok=True)
    key = source.keyring
    if key is not None and Path(key).is_file() and not (target / key.lstrip("/")).exists():
        (target / key.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(key, target / key.lstrip("/"))


def _sources(apt: Path) -> Iterator[str]:
    """All entries of apt's sources, of both formats, in the one-line style."""
    for path in (apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))):
        if path.is_file():
            yield from path.read_text(errors="replace").splitlines()
    for path in sorted(apt.glob("sources.list.d/*.sources")):
        yield from one_line_style(path.read_text(errors="replace"))
