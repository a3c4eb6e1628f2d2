"""The buildpacks, run in the build sandbox: one launch that detects, compiles and releases.

In the sandbox the tree is /app, and everything else that a build may use is below /tmp/paas. The
driver is buildpacks/lib/build.sh; its result comes back in a small file in the app's cache
directory.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from paas.adapters.builds.apt_sources import apt_with_sources_list
from paas.adapters.builds.dependencies import IN_SANDBOX, DependencyLayers
from paas.adapters.builds.failures import build_failure
from paas.adapters.builds.output import BuildOutput
from paas.adapters.builds.python_choice import choose_python
from paas.adapters.builds.pythons import provide_python
from paas.adapters.builds.result import parse_result, read_result
from paas.adapters.builds.untrusted import discard, read_plain_file
from paas.adapters.datastores.client_file import hosts_of
from paas.adapters.network.app_dns import resolv_conf
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.child_launch import launch, launcher_ahead, write_spec
from paas.adapters.runtime.native.launch_specs import hidden, network_of_one_off, tool_binds
from paas.adapters.runtime.native.syscall_filter import filter_path
from paas.adapters.system import files
from paas.adapters.system.subprocesses import Ahead
from paas.domain.apps.apps import App
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.builds.buildpacks import Buildpack, Kind
from paas.domain.builds.cache_records import Span
from paas.domain.releases.launch_spec import OOM_ONCE, Bind, LaunchSpec
from paas.domain.releases.releases import ConfigVars
from paas.domain.values.errors import PaasError, TimedOutError
from paas.domain.values.secret import Secret
from paas.interfaces import Built
from paas.settings import Settings

RESULT = "result"
_DESCRIPTION = "The build"
PROCFILE_MAX_BYTES = 1024**2
STACKS = (((2, 39), "heroku-24"), ((2, 35), "heroku-22"), ((2, 31), "heroku-20"))
_LIBC_VERSION = re.compile(r"([0-9]+)\.([0-9]+)")
_IN_SANDBOX = "/tmp/paas"  # noqa: S108 - in the sandbox's own /tmp


class BuildpackBuilder:
    """Builds with the buildpacks that order.txt of the installed version names."""

    def __init__(self, settings: Settings, apt_directory: Path = Path("/etc/apt")) -> None:
        self._settings = settings
        self._cgroups = Cgroups(settings)
        self._apt_directory = apt_directory
        self._ahead: Ahead | None = None
        self._layers = DependencyLayers(settings.paths)

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """See interfaces.Builder: the launcher starts while the tree is written."""
        with launcher_ahead(self._settings, _DESCRIPTION) as self._ahead:
            yield
        self._ahead = None

    def build(
        self,
        app: App,
        tree: Path,
        config: ConfigVars,
        output: Callable[[bytes], None],
        *,
        buildpacks: Sequence[Buildpack] = (),
        dockerfile: DockerfileBuild | None = None,  # noqa: ARG002 - builds no images
        commit: str = "",
        share_dependencies: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> Built:
        """Detect and compile the tree in place; see interfaces.Builder.

        One build of an app at a time: the caller holds the app's lock.
        """
        cache = self._settings.paths.cache / str(app.id)
        provide_python(self._settings, tree, cache, output, check)
        python_env: Mapping[str, str] = {}
        if not buildpacks or "python" in {pack.source for pack in buildpacks}:
            python_env = choose_python(self._settings, tree, cache, output, check)
        files.make_directory(cache, mode=0o700, owner=(app.uid, app.uid))
        # The result of an earlier build must not be taken for this one's.
        discard(cache / RESULT)
        self._layers.clear_offer(cache)
        build_output = BuildOutput(output)
        env = self._workspace(app.id) / "env"
        layer = self._layers.newest(app.id) if share_dependencies else None
        packs = tuple(buildpacks)
        job = _Job(app, tree, cache, env, packs, commit, python_env, share_dependencies, layer)
        try:
            with self._prepared(job, config) as spec:
                status = self._launch(app, spec, build_output, check)
            build_output.end(failed=status != 0)
            if status != 0:
                memory_mib = self._cgroups.build_memory_mib()
                raise build_failure(self._settings, status, build_output, memory_mib)
            return self._built(job)
        finally:
            if layer is not None:
                self._layers.forget_changes(app.id, tree.name)

    def _built(self, job: "_Job") -> Built:
        """What a build has left that succeeded."""
        built = parse_result(read_result(job.cache, RESULT))
        # A buildpack may have made or changed it, as on Heroku.
        procfile = read_plain_file(job.tree, "Procfile", PROCFILE_MAX_BYTES)
        dependencies = None
        if job.share:
            # No process of the build is left that could write to them.
            dependencies = self._layers.take(job.app.id, job.tree, job.cache, job.layer)
        return replace(built, procfile=procfile, dependencies=dependencies)

    def clear(self, app_id: int) -> bool:
        """End the processes that an interrupted build left; see interfaces.Builder."""
        found = self.left(app_id)
        self._cgroups.remove(f"build-{app_id}")
        shutil.rmtree(self._workspace(app_id), ignore_errors=True)
        return found

    def left(self, app_id: int) -> bool:
        """See interfaces.Builder."""
        return self._workspace(app_id).exists() or self._cgroups.has(f"build-{app_id}")

    def keep_cache(self, used: Callable[[], Sequence[Span]]) -> int:  # noqa: ARG002 - of the Protocol
        """See interfaces.Builder: each app has a cache of its own."""
        return 0

    def _workspace(self, app_id: int) -> Path:
        return self._settings.paths.build_specs / str(app_id)

    def _launch(
        self, app: App, spec: Path, build_output: BuildOutput, check: Callable[[], None]
    ) -> int:
        """Run the sandbox until it ends, and leave none of its processes behind."""
        limit_s = self._settings.build_limit_s
        cgroup = f"build-{app.id}"
        ahead, self._ahead = self._ahead, None

        def ended() -> None:
            build_output.memory_kills = self._cgroups.memory_kills(cgroup)

        try:
            return launch(
                self._settings,
                spec,
                cgroup=cgroup,
                description=_DESCRIPTION,
                limit_s=limit_s,
                on_line=build_output.line,
                interrupt=check,
                ended=ended,
                ahead=ahead,
            )
        except TimedOutError as error:
            raise PaasError(
                "build-timeout",
                f"The build did not end within {limit_s:g} s and was stopped.",
                "If it needs that long, raise build_limit_s in server.yml.",
            ) from error

    @contextmanager
    def _prepared(self, job: "_Job", config: ConfigVars) -> Iterator[Path]:
        """The launch spec and the ENV directory (Heroku's: one file a config var), as files."""
        workspace, owner = job.env.parent, (job.app.uid, job.app.uid)
        shutil.rmtree(workspace, ignore_errors=True)
        files.make_directory(workspace.parent)
        files.make_directory(workspace)
        try:
            files.make_directory(job.env, mode=0o755)
            for name, value in config.items():
                content = value.reveal().encode("utf-8", "surrogateescape")
                path = job.env / name
                files.write_atomic(path, content, mode=0o400, owner=owner, durable=False)
            spec = workspace / "spec.json"
            write_spec(spec, self._spec(job))
            yield spec
        finally:
            shutil.rmtree(workspace, ignore_errors=True)

    def _spec(self, job: "_Job") -> LaunchSpec:
        settings = self._settings
        network = network_of_one_off(settings, job.app.uid)
        layer, uid = job.layer, job.app.uid
        return LaunchSpec(
            label="build",
            argv=job.argv(),
            env={
                name: Secret(text)
                for name, text in {**self._environment(job), **job.python_env}.items()
            },
            uid=job.app.uid,
            slug=str(job.tree),
            writable_slug=True,
            binds=self._binds(job),
            hide=hidden(settings),
            scratch_mib=settings.build_scratch_mib,
            limits={"nofile": settings.max_open_files, "core": 0},
            cgroups=self._cgroups.for_build(str(job.app.id)),
            log_fifo=None,
            app_log=None,
            crash_file=None,
            separate=True,
            oom_score_adj=OOM_ONCE,
            syscall_filter=filter_path(settings, user_namespaces=job.app.user_namespaces),
            network=network,
            resolv_conf=resolv_conf() if network else None,
            hosts=hosts_of(settings, job.app.uid, network=network is not None),
            changeable=self._layers.changeable(job.app.id, layer, job.tree.name, uid)
            if layer and self._layers.may_differ(layer, job.tree)
            else None,
        )

    def _binds(self, job: "_Job") -> tuple[Bind, ...]:
        code = self._settings.paths.current
        local = [Bind(pack.source, target) for pack, target in job.local().items()]
        for bind in local:
            if not Path(bind.source).is_dir():
                raise PaasError(
                    "buildpack-gone",
                    f"The app's buildpack {bind.source} is no longer on this server.",
                    f"Put it back, or remove it from the app: paas buildpacks:remove {bind.source}",
                )
        return (
            Bind(str(code / "buildpacks"), f"{_IN_SANDBOX}/buildpacks"),
            Bind(str(code / "venv/bin/uv"), f"{_IN_SANDBOX}/bin/uv"),
            Bind(str(_yaml(code)), f"{_IN_SANDBOX}/python/yaml"),
            Bind(str(job.cache), f"{_IN_SANDBOX}/cache", writable=True),
            Bind(str(job.env), f"{_IN_SANDBOX}/env"),
            *([self._layers.show(job.layer, job.env.parent)] if job.share else []),
            *local,
            *self._apt(job),
            *tool_binds(self._settings),
        )

    def _apt(self, job: "_Job") -> tuple[Bind, ...]:
        """Third-party buildpacks may read /etc/apt/sources.list, which newer systems lack."""
        if all(pack.kind is Kind.NAME for pack in job.buildpacks):
            return ()
        shown = apt_with_sources_list(self._apt_directory, job.env.parent / "apt")
        return (Bind(str(shown), "/etc/apt"),) if shown else ()

    def _environment(self, job: "_Job") -> dict[str, str]:
        return {
            "LANG": "C.UTF-8",
            "STACK": stack(os.confstr("CS_GNU_LIBC_VERSION") or ""),
            **self._settings.build_env,
            "HOME": "/tmp/home",  # noqa: S108 - in the sandbox
            "TMPDIR": "/tmp",  # noqa: S108 - in the sandbox
            "PATH": f"{_IN_SANDBOX}/bin:/usr/local/bin:/usr/bin:/bin",
            "SOURCE_VERSION": job.commit,
            # Where it may find what it needs, and leave what others may use.
            **({"PAAS_DEPENDENCIES": IN_SANDBOX} if job.share else {}),
            # Heroku's buildpacks note how long their steps took there.
            "BUILDPACK_LOG_FILE": "/dev/null",
            "UV_CACHE_DIR": f"{_IN_SANDBOX}/cache/uv",
            "UV_PYTHON_INSTALL_DIR": str(self._settings.paths.pythons),
        }


@dataclass(frozen=True, slots=True)
class _Job:
    """One build: where its files are on the host, and in the sandbox."""

    app: App
    tree: Path
    cache: Path
    env: Path
    buildpacks: tuple[Buildpack, ...]
    commit: str
    python_env: Mapping[str, str]
    share: bool
    layer: Path | None

    def argv(self) -> tuple[str, ...]:
        """The driver and its arguments."""
        local = self.local()
        return (
            "/bin/bash",
            f"{_IN_SANDBOX}/buildpacks/lib/build.sh",
            f"{_IN_SANDBOX}/buildpacks",
            "/app",
            f"{_IN_SANDBOX}/cache/packs",
            f"{_IN_SANDBOX}/env",
            f"{_IN_SANDBOX}/cache/{RESULT}",
            *chain.from_iterable(
                (f"{pack.kind}:{local.get(pack, pack.source)}", str(pack))
                for pack in self.buildpacks
            ),
        )

    def local(self) -> dict[Buildpack, str]:
        """Where the sandbox shows the buildpacks that are directories of this server."""
        found = [pack for pack in self.buildpacks if pack.kind is Kind.PATH]
        return {
            pack: f"{_IN_SANDBOX}/local/{n}/{Path(pack.source).name}"
            for n, pack in enumerate(found)
        }


def _yaml(code: Path) -> Path:
    """The library with which lib/release.py reads, in the sandbox, what a bin/release prints."""
    return next((code / "venv").glob("lib/python3*/site-packages/yaml"))


def stack(libc: str) -> str:
    """Heroku's name for the stack whose programs run here: the newest that needs no newer libc.

    libc: ``glibc 2.36``. https://devcenter.heroku.com/articles/stack
    """
    found = _LIBC_VERSION.search(libc)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    for needed, name in STACKS:
        if version >= needed:
            return name
    return STACKS[-1][1]
