"""The buildpacks, run in the build sandbox: one launch that detects, compiles and releases.

In the sandbox the tree is /app, and all else that a build may use is below /tmp/paas. The driver
is buildpacks/lib/build.sh; what it made comes back in a small file of the app's cache directory.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from paas.adapters import files, process
from paas.adapters.build_result import parse_result, read_result
from paas.adapters.cgroups import Cgroups
from paas.adapters.instance_specs import hidden, tool_binds
from paas.adapters.pythons import provide_python
from paas.adapters.untrusted import discard
from paas.domain.apps import App
from paas.domain.errors import PaasError, disk_full
from paas.domain.interfaces import Built
from paas.domain.launching import Bind, LaunchSpec
from paas.domain.releases import ConfigVars
from paas.domain.secret import Secret
from paas.settings import Settings

OUTPUT_MAX_BYTES = 8 * 1024 * 1024
REASON_MAX_CHARS = 300
ERROR_MAX_LINES = 40
EXIT_NOT_DETECTED = 100
EXIT_NOT_LAUNCHED = 70
RESULT = "result"
_ERROR = b" !     Error: "
_ROOM = "/tmp/paas"  # noqa: S108 - in the sandbox's own /tmp


class BuildpackBuilder:
    """Builds with the buildpacks that order.txt of the installed version names."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cgroups = Cgroups(settings)

    def build(
        self, app: App, tree: Path, config: ConfigVars, output: Callable[[bytes], None]
    ) -> Built:
        """Detect and compile the tree in place; see domain.interfaces.Builder.

        One build of an app at a time: the caller holds the app's lock.
        """
        provide_python(self._settings, tree, output)
        cache = self._settings.state / "cache" / str(app.id)
        files.make_directory(cache, mode=0o700, owner=(app.uid, app.uid))
        # A result of an earlier build must not pass for one of this.
        discard(cache / RESULT)
        heard = _Heard(output)
        with self._prepared(app, tree, cache, config) as spec:
            status = self._launch(app, spec, heard)
        heard.end(failed=status != 0)
        if status != 0:
            raise self._failure(status, heard)
        return parse_result(read_result(cache, RESULT))

    def clear(self, app_id: int) -> bool:
        """End what an interrupted build left; see domain.interfaces.Builder."""
        room = self._room(app_id)
        name = f"build-{app_id}"
        found = room.exists() or name in self._cgroups.names()
        self._cgroups.remove(name)
        shutil.rmtree(room, ignore_errors=True)
        return found

    def _room(self, app_id: int) -> Path:
        return self._settings.run / "builds" / str(app_id)

    def _launch(self, app: App, spec: Path, heard: "_Heard") -> int:
        """Run the sandbox to its end and leave no process of it behind."""
        launcher = self._settings.current / "paas/entrypoints/launch.py"
        limit_s = self._settings.build_limit_s
        try:
            return process.run(
                ["/usr/bin/python3", "-I", "-S", launcher, spec],
                description="The build",
                timeout_s=limit_s,
                env={},
                cwd=Path("/"),
                on_line=heard.line,
                check=False,
            ).status
        except PaasError as error:
            if error.reference != "program-timeout":
                raise
            raise PaasError(
                "build-timeout",
                f"The build did not end within {limit_s:g} s and was stopped.",
                "If it needs that long, raise build_limit_s in server.yml.",
            ) from error
        finally:
            self._cgroups.remove(f"build-{app.id}")

    @contextmanager
    def _prepared(self, app: App, tree: Path, cache: Path, config: ConfigVars) -> Iterator[Path]:
        """The launch spec and the ENV directory (Heroku's: one file a config var), as files."""
        room = self._room(app.id)
        env = room / "env"
        shutil.rmtree(room, ignore_errors=True)
        files.make_directory(room.parent)
        files.make_directory(room)
        try:
            files.make_directory(env, mode=0o755)
            for name, value in config.items():
                content = value.reveal().encode("utf-8", "surrogateescape")
                owner = (app.uid, app.uid)
                files.write_atomic(env / name, content, mode=0o400, owner=owner, durable=False)
            spec = room / "spec.json"
            content = json.dumps(self._spec(app, tree, cache, env).to_json()).encode()
            files.write_atomic(spec, content, durable=False)
            yield spec
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def _spec(self, app: App, tree: Path, cache: Path, env: Path) -> LaunchSpec:
        settings = self._settings
        driver = f"{_ROOM}/buildpacks/lib/build.sh"
        packs, result = f"{_ROOM}/cache/packs", f"{_ROOM}/cache/{RESULT}"
        return LaunchSpec(
            label="build",
            argv=(
                "/bin/bash",
                driver,
                f"{_ROOM}/buildpacks",
                "/app",
                packs,
                f"{_ROOM}/env",
                result,
            ),
            env={name: Secret(text) for name, text in self._environment().items()},
            uid=app.uid,
            slug=str(tree),
            writable_slug=True,
            binds=self._binds(cache, env),
            hide=hidden(settings),
            scratch_mib=settings.build_scratch_mib,
            limits={"nofile": settings.max_open_files, "core": 0},
            cgroups=self._cgroups.for_build(str(app.id)),
            log_fifo=None,
            app_log=None,
            crash_file=None,
        )

    def _binds(self, cache: Path, env: Path) -> tuple[Bind, ...]:
        code = self._settings.current
        binds = [
            Bind(str(code / "buildpacks"), f"{_ROOM}/buildpacks"),
            Bind(str(code / "venv/bin/uv"), f"{_ROOM}/bin/uv"),
            Bind(str(cache), f"{_ROOM}/cache", writable=True),
            Bind(str(env), f"{_ROOM}/env"),
        ]
        return (*binds, *tool_binds(self._settings))

    def _environment(self) -> dict[str, str]:
        return {
            "LANG": "C.UTF-8",
            **self._settings.build_env,
            "HOME": "/tmp/home",  # noqa: S108
            "TMPDIR": "/tmp",  # noqa: S108
            "PATH": f"{_ROOM}/bin:/usr/local/bin:/usr/bin:/bin",
            "UV_CACHE_DIR": f"{_ROOM}/cache/uv",
            "UV_PYTHON_INSTALL_DIR": str(self._settings.pythons),
        }

    def _failure(self, status: int, heard: "_Heard") -> PaasError:
        if status == EXIT_NOT_DETECTED:
            return PaasError(
                "no-buildpack",
                "No buildpack recognises this app: none of the files by which one knows its "
                "language is in the top directory.",
                "For Python, add a requirements.txt (it may be empty), commit, and push again.",
            )
        if heard.disk_is_full and shutil.disk_usage(self._settings.state).free < 8 * 1024**2:
            return disk_full()
        if status == EXIT_NOT_LAUNCHED and heard.last.startswith("paas-launch:"):
            return PaasError(
                "build-sandbox",
                f"The build could not be started: {heard.last}",
                "This is the server's fault; its administrator finds more with: paas server:status",
            )
        if heard.reason:
            return PaasError("build-failed", heard.reason, heard.advice or None)
        reason = f"The build {'was ' if status < 0 else ''}{process.exit_words(status)}."
        return PaasError("build-failed", reason, "The lines above say why.")


class _Heard:
    """Hands the build's lines on, up to a limit, and remembers what explains a failure.

    A buildpack's error (a block of marked lines, ``Error: `` in its first) is held back: where the
    build ends with it, it becomes the PaasError, and is told once.
    """

    def __init__(self, output: Callable[[bytes], None]) -> None:
        self._output = output
        self._passed_bytes = 0
        self._dropped = 0
        self._held: list[bytes] = []
        self.last = ""
        self.disk_is_full = False

    def line(self, line: bytes) -> None:
        """Take one line."""
        self.last = _plain(line)
        if b"No space left on device" in line:
            self.disk_is_full = True
        begins = line.startswith(_ERROR)
        if begins or not (line.startswith(b" !") or not line.strip()):
            self._release()
        if (begins or self._held) and len(self._held) < ERROR_MAX_LINES:
            self._held.append(line)
        else:
            self._pass(line)

    @property
    def reason(self) -> str:
        """The error with which the build ended, or nothing."""
        return _plain(self._held[0].removeprefix(_ERROR)) if self._held else ""

    @property
    def advice(self) -> str:
        """The lines below the error."""
        lines = (_plain(line).removeprefix(" !").removeprefix("     ") for line in self._held[1:])
        return "\n".join(line for line in lines if line.strip())

    def _release(self) -> None:
        held, self._held = self._held, []
        for line in held:
            self._pass(line)

    def _pass(self, line: bytes) -> None:
        self._passed_bytes += len(line) + 1
        if self._passed_bytes > OUTPUT_MAX_BYTES and not line.startswith(b" !     "):
            self._dropped += 1
        else:
            self._output(line)

    def end(self, *, failed: bool) -> None:
        """Tell what was dropped; what looked like an error was none where the build succeeded."""
        if not failed:
            self._release()
        if self._dropped:
            text = f" !     {self._dropped} lines of the build's output were left out."
            self._output(text.encode())


def _plain(line: bytes) -> str:
    """A line as text for a message."""
    text = line[:REASON_MAX_CHARS].decode("utf-8", "replace")
    return re.sub(r"[\x00-\x1f\x7f]", "", text)
