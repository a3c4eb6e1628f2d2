"""The sandbox in which code from elsewhere is fetched: under the app's uid, like a build.

paas/entrypoints/fetcher runs in it. Its answer is a small file in a directory of the app's uid, and
is distrusted like any file of an app.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paas.adapters.builds.untrusted import read_plain_file
from paas.adapters.network.app_dns import resolv_conf
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.child_launch import launch, write_spec
from paas.adapters.runtime.native.launch_specs import hidden, network_of_one_off
from paas.adapters.runtime.native.syscall_filter import filter_path
from paas.adapters.system import directories, files
from paas.domain.apps.apps import App
from paas.domain.git.credentials import (
    HOST_KEYS_MAX,
    NO_ACCESS,
    FetchAccess,
    HostKey,
    host_key,
)
from paas.domain.releases.launch_spec import OOM_ONCE, Bind, Cgroup, LaunchSpec
from paas.domain.values.errors import EXIT_FAILED, PaasError, TimedOutError
from paas.domain.values.names import printable
from paas.domain.values.secret import Secret
from paas.settings import Settings

_IN_SANDBOX: Final = "/tmp/paas"  # noqa: S108 - in the sandbox's own /tmp
_JOB: Final = "job"
_RESULT: Final = "result"
_RESULT_MAX_BYTES: Final = 65_536
_MESSAGE_MAX: Final = 2_000
_MEMORY_BYTES: Final = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Job:
    """One run. tree: the host's directory that is /app. known: a bare repository to read from.

    cgroup: its name. cgroups: where it is. access: what it may log in with, which is handed over
    in memory: it is in no file, argument or environment of the host.
    """

    app: App
    out: Path
    tree: Path
    what: Mapping[str, object]
    cgroup: str
    cgroups: tuple[Cgroup, ...]
    known: Path | None = None
    access: FetchAccess = NO_ACCESS


class FetchSandbox:
    """Runs the jobs of paas/entrypoints/fetcher/jobs.py."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cgroups = Cgroups(settings)

    @contextmanager
    def workspace(self, app: App, name: str) -> Iterator[Path]:
        """A directory of the app's uid on the disk, for as long as the context lasts."""
        path = self.workspace_path(name)
        directories.remove(path)
        files.make_directory(path.parent, mode=0o711)
        try:
            files.make_directory(path, owner=(app.uid, app.uid))
            yield path
        finally:
            directories.remove(path)

    def workspace_path(self, name: str) -> Path:
        """Where such a directory is."""
        return self._settings.paths.fetches / name

    def run(
        self, job: Job, output: Callable[[bytes], None], check: Callable[[], None] | None = None
    ) -> dict[str, Any]:
        """Do a job; its answer. Raises PaasError: that of the job, or why there is no answer."""
        specs = self._settings.paths.fetch_specs
        files.make_directory(specs)
        spec = specs / f"{job.out.name}.json"
        last = [b""]

        def heard(line: bytes) -> None:
            last[0] = line
            output(line)

        try:
            # Not as an argument: a tree may have more submodules than one can hold.
            owner = (job.app.uid, job.app.uid)
            what = json.dumps(dict(job.what))
            files.write_atomic(job.out / _JOB, what, mode=0o400, owner=owner, durable=False)
            write_spec(spec, self._spec(job))
            status = launch(
                self._settings,
                spec,
                cgroup=job.cgroup,
                description="Fetching",
                limit_s=self._settings.build_limit_s,
                on_line=heard,
                interrupt=check,
                stdin=_handed_over(job.access),
            )
        except TimedOutError as error:
            raise PaasError(
                "fetch-timeout",
                f"Fetching did not end within {self._settings.build_limit_s:g} s.",
                "Try again; if it needs that long, raise build_limit_s in server.yml.",
            ) from error
        finally:
            files.remove(spec)
        return _answer(read_plain_file(job.out, _RESULT, _RESULT_MAX_BYTES), status, last[0])

    def _spec(self, job: Job) -> LaunchSpec:
        settings = self._settings
        code = settings.paths.current / "paas"
        limits = {
            "nofile": settings.max_open_files,
            "core": 0,
            "fsize": settings.max_push_mib * 1024**2,
        }
        if job.what["kind"] == "archive":
            limits["as"] = _MEMORY_BYTES
        known = (Bind(f"{job.known}/objects", f"{_IN_SANDBOX}/known/objects"),) if job.known else ()
        script = f"{_IN_SANDBOX}/code/paas/entrypoints/fetch.py"
        network = network_of_one_off(settings, job.app.uid)
        return LaunchSpec(
            label="fetch",
            argv=("/usr/bin/python3", "-I", "-S", script),
            env={name: Secret(text) for name, text in self._environment().items()},
            uid=job.app.uid,
            slug=str(job.tree),
            writable_slug=True,
            binds=(
                Bind(str(code), f"{_IN_SANDBOX}/code/paas"),
                Bind(str(job.out), f"{_IN_SANDBOX}/out", writable=True),
                *known,
            ),
            hide=hidden(settings),
            scratch_mib=settings.scratch_mib,
            limits=limits,
            cgroups=job.cgroups,
            log_fifo=None,
            app_log=None,
            crash_file=None,
            separate=True,
            oom_score_adj=OOM_ONCE,
            syscall_filter=filter_path(settings),
            network=network,
            resolv_conf=resolv_conf() if network else None,
        )

    def _environment(self) -> dict[str, str]:
        return {
            **self._settings.build_env,
            "LANG": "C.UTF-8",
            "HOME": "/tmp",  # noqa: S108 - in the sandbox
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }

    def clear(self, app_id: int) -> bool:
        """End and remove what an interrupted fetch left; whether it left anything."""
        found = self.left(app_id)
        for name in _cgroups_of(app_id):
            self._cgroups.remove(name)
        for path in self._workspaces(app_id):
            directories.remove(path)
        return found

    def left(self, app_id: int) -> bool:
        """Whether an interrupted fetch left anything."""
        return bool(self._workspaces(app_id)) or any(map(self._cgroups.has, _cgroups_of(app_id)))

    def _workspaces(self, app_id: int) -> list[Path]:
        return [
            path for name in workspaces_of(app_id) if (path := self.workspace_path(name)).exists()
        ]


def workspaces_of(app_id: int) -> tuple[str, str, str, str]:
    """The names of an app's rooms: for its repository, submodules, commit statuses, buildpacks."""
    return str(app_id), f"{app_id}-submodules", f"{app_id}-status", f"{app_id}-buildpacks"


def _cgroups_of(app_id: int) -> tuple[str, str]:
    """The cgroups of what runs in them; what a build needs is fetched in that of the build."""
    repository, _, status, _ = workspaces_of(app_id)
    return f"fetch-{repository}", f"fetch-{status}"


def _handed_over(access: FetchAccess) -> bytes:
    """What fetcher/access.py reads."""
    return json.dumps(
        {
            "tokens": [[one.host, one.user, one.token.reveal()] for one in access.tokens],
            "key": access.key.private.reveal() if access.key is not None else None,
            "known_hosts": [f"{one.host} {one.key}" for one in access.host_keys],
        }
    ).encode()


def new_host_keys(answer: Mapping[str, Any], access: FetchAccess) -> tuple[HostKey, ...]:
    """The keys that ssh noted of hosts that were not known; distrusted like all of an answer."""
    lines = answer.get("known_hosts")
    if not isinstance(lines, list):
        return ()
    known = {one.host for one in access.host_keys}
    found = [host_key(str(line)) for line in lines[: len(known) + HOST_KEYS_MAX]]
    return tuple(key for key in found if key is not None and key.host not in known)


def _answer(content: bytes | None, status: int, last: bytes) -> dict[str, Any]:
    """What the job wrote, as the app's uid."""
    try:
        answer = json.loads(content or b"")
        error = answer.get("error")
        if status == 0 and error is None:
            return dict(answer)
        if error is not None:
            reference, message, hint = error
            raise PaasError(
                _plain(reference), _plain(message), _plain(hint or "") or None, EXIT_FAILED
            )
    except (ValueError, TypeError, AttributeError):
        pass
    words = last.decode("utf-8", "replace").strip() or f"it ended with status {status}"
    raise PaasError(
        "fetch-failed",
        f"The code could not be fetched: {_plain(words)}",
        "Any lines above say more. The server's administrator can run: paas server:status",
    )


def _plain(text: object) -> str:
    lines = str(text)[:_MESSAGE_MAX].split("\n")
    return "\n".join(map(printable, lines))


def copied(source: Any, target: Path, max_bytes: int, owner: int) -> int:
    """Write a stream to a new file of a uid; its size. Raises PaasError above max_bytes."""
    size_bytes = 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
        os.fchown(file.fileno(), owner, owner)
        while data := source.read(1024**2):
            size_bytes += len(data)
            if size_bytes > max_bytes:
                raise PaasError(
                    "archive-too-large",
                    f"The archive is larger than {max_bytes // 1024**2} MiB (setting "
                    "max_push_mib).",
                    "Leave out what the app does not need, such as dependencies and data.",
                )
            file.write(data)
    return size_bytes
