"""Builds images from Dockerfiles by Docker's own command, whose BuildKit the SDK lacks.

The command reads the app's tree as root, so its input is checked first: no link leads out of the
tree. No user can add an option to the command: each value is validated. It ends with its caller,
and the build with it.
"""

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from paas.adapters.builds.failures import build_out_of_memory
from paas.adapters.builds.output import BuildOutput
from paas.adapters.builds.untrusted import read_plain_file
from paas.adapters.docker.build_cache import BuildCache
from paas.adapters.docker.build_cgroup import BuildCgroup
from paas.adapters.docker.build_context import NODE_IDS, BuildContext
from paas.adapters.docker.cache_names import ARGUMENT, cache_namespace
from paas.adapters.docker.cli import DOCKER
from paas.adapters.docker.connection import docker_client, socket_url
from paas.adapters.docker.context_archives import refuse_bombs
from paas.adapters.docker.failures import image_failure
from paas.adapters.docker.image_files import ImageFiles
from paas.adapters.docker.images import Images, labels
from paas.adapters.docker.unpacking import UnpackGuard, base_image_too_large
from paas.adapters.system import files, subprocesses
from paas.domain.apps.apps import App
from paas.domain.builds.builders import (
    DOCKERFILE,
    DOCKERFILE_MAX_BYTES,
    DockerfileBuild,
    refuse_endless,
)
from paas.domain.builds.buildkit import BuildKitLines
from paas.domain.builds.buildpacks import Buildpack
from paas.domain.builds.cache_records import Span
from paas.domain.builds.images import default_port, refuse_unusable
from paas.domain.manifest.procfile import PROCFILE_MAX_BYTES
from paas.domain.releases.artifacts import Image
from paas.domain.releases.formation import WEB
from paas.domain.releases.releases import ConfigVars
from paas.domain.values.errors import PaasError, TimedOutError
from paas.interfaces import Built
from paas.settings import Settings

DOCKER_HUB = "https://index.docker.io/v1/"
SHELL = "/bin/sh"
# A link to the tree: its path is the same at each build, and part of BuildKit's key (BuildContext).
TREE = "tree"


class DockerfileBuilder:
    """See interfaces.Builder. Each build is one image, which has the build's id as a label."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._images = Images(settings)
        self._cache = BuildCache(settings)

    def expecting(self) -> AbstractContextManager[None]:
        """See interfaces.Builder: the engine runs already."""
        return nullcontext()

    def build(
        self,
        app: App,
        tree: Path,
        config: ConfigVars,  # noqa: ARG002 - see below
        output: Callable[[bytes], None],
        *,
        buildpacks: Sequence[Buildpack] = (),  # noqa: ARG002 - builds no slugs
        dockerfile: DockerfileBuild | None = None,
        commit: str = "",
        share_dependencies: bool = False,  # noqa: ARG002 - an image has layers of its own
        check: Callable[[], None] = lambda: None,
    ) -> Built:
        """Build the tree's Dockerfile; see interfaces.Builder.

        It does not get the config vars, since what a step reads may stay in the image.
        """
        wanted = dockerfile or DockerfileBuild()
        build_output = BuildOutput(output)
        context = BuildContext(self._settings, app.id)
        with self._prepared(app, tree, wanted, context) as workspace:
            dockerfile_text = (workspace / DOCKERFILE).read_bytes()
            refuse_bombs(self._settings, tree, dockerfile_text, check)
            context.prepare(tree, check)
            lines, cgroup = BuildKitLines(), BuildCgroup(self._settings)
            disk = UnpackGuard(self._settings, self._settings.min_free_mib * 1024**2)
            argv = self._argv(app, tree, workspace, wanted, commit)
            cgroup.begin()

            def look() -> None:
                cgroup.look()
                if disk.look():
                    raise base_image_too_large()
                check()

            status = self._run(argv, workspace, lines, build_output, look)
            build_output.end(failed=status != 0)
            if status != 0:
                if cgroup.ran_out(was_killed=lines.was_killed):
                    raise build_out_of_memory(cgroup.memory_mib, is_shared=True)
                raise image_failure(self._settings, lines, build_output)
            context.keep()
            image_id = (workspace / "id").read_text().strip()
        try:
            return self._built(app, tree, image_id, wanted)
        except BaseException:
            self._images.remove_build(tree.name)
            raise

    def left(self, app_id: int) -> bool:
        """See interfaces.Builder."""
        return self._workspace(app_id).exists()

    def clear(self, app_id: int) -> bool:
        """Its processes ended with their caller; see interfaces.Builder."""
        found = self.left(app_id)
        shutil.rmtree(self._workspace(app_id), ignore_errors=True)
        return found

    def keep_cache(self, used: Callable[[], Sequence[Span]]) -> int:
        """See interfaces.Builder."""
        return self._cache.keep(used())

    def _built(self, app: App, tree: Path, image_id: str, wanted: DockerfileBuild) -> Built:
        """What is known about the image, without starting anything in it."""
        facts = self._images.facts(image_id)
        refuse_unusable(facts, labels(self._settings, app.id, tree.name))
        with docker_client(self._settings) as client, ImageFiles(client, image_id) as inside:
            has_shell = inside.has(SHELL)
            procfile = None
            if not (tree / "Procfile").is_file():
                path = f"{facts.directory.rstrip('/')}/Procfile"
                procfile = inside.read(path, PROCFILE_MAX_BYTES)
        return Built(
            buildpack="Dockerfile",
            processes={WEB: ""} if facts.starts else {},
            procfile=procfile,
            image=Image(facts.id, default_port(facts, wanted.port), has_shell),
            image_bytes=facts.size_bytes,
            user=facts.user,
        )

    def _workspace(self, app_id: int) -> Path:
        return self._settings.paths.build_specs / f"{app_id}-image"

    @contextmanager
    def _prepared(
        self, app: App, tree: Path, wanted: DockerfileBuild, context: BuildContext
    ) -> Iterator[Path]:
        """What the command reads beside the tree, in files that only root can read."""
        workspace = self._workspace(app.id)
        shutil.rmtree(workspace, ignore_errors=True)
        for path in (workspace.parent, workspace, workspace / "docker", workspace / "secrets"):
            files.make_directory(path)
        (workspace / TREE).symlink_to(tree)
        try:
            content = _file_of(tree, wanted.path)
            if content is None:
                raise _no_dockerfile(wanted.path)
            refuse_endless(content)
            _write(workspace / DOCKERFILE, content)
            ignored = _file_of(tree, f"{wanted.path}.dockerignore")
            if ignored is not None:
                _write(workspace / f"{DOCKERFILE}.dockerignore", ignored)
            for path in workspace.glob(f"{DOCKERFILE}*"):
                os.utime(path, ns=(context.time_ns, context.time_ns))
            for name in NODE_IDS:
                files.make_directory((workspace / "docker" / name).parent)
                _write(workspace / "docker" / name, context.node_id.encode())
            _write(workspace / "docker/config.json", json.dumps(_logins(wanted)).encode())
            for name, value in wanted.secrets.items():
                content = value.reveal().encode("utf-8", "surrogateescape")
                _write(workspace / "secrets" / name, content)
            yield workspace
        finally:
            shutil.rmtree(workspace, ignore_errors=True)

    def _argv(
        self, app: App, tree: Path, workspace: Path, wanted: DockerfileBuild, commit: str
    ) -> list[str]:
        """The command. Arguments are not secrets: they stay readable in the image."""
        own = {name: value for name, value in self._settings.build_env.items() if value}
        given = {"SOURCE_VERSION": commit, **{str(name): arg for name, arg in wanted.args.items()}}
        words = ["/usr/bin/setpriv", "--pdeathsig", "KILL", DOCKER, "build", "--progress=plain"]
        words += ["--iidfile", f"{workspace}/id", "--file", f"{workspace}/{DOCKERFILE}"]
        # The server's own are taken from the environment: an index may have a login in its URL.
        words += [word for name in own if name not in given for word in ("--build-arg", name)]
        given[ARGUMENT] = cache_namespace(self._settings, app.id)
        words += [word for pair in given.items() for word in ("--build-arg", "=".join(pair))]
        for name in wanted.secrets:
            words += ["--secret", f"id={name},src={workspace}/secrets/{name}"]
        for label, value in labels(self._settings, app.id, tree.name).items():
            words += ["--label", f"{label}={value}"]
        words += [] if wanted.target is None else ["--target", wanted.target]
        return [*words, "--", f"{workspace}/{TREE}"]

    def _run(
        self,
        argv: list[str],
        workspace: Path,
        lines: BuildKitLines,
        build_output: BuildOutput,
        check: Callable[[], None],
    ) -> int:
        """Run the command until it ends; returns its exit status."""
        limit_s = self._settings.build_limit_s

        def heard(raw: bytes) -> None:
            for line in lines.line(raw):
                build_output.line(line)

        try:
            return subprocesses.run(
                argv,
                description="The build",
                timeout_s=limit_s,
                env=self._environment(workspace),
                cwd=workspace,
                on_line=heard,
                check=False,
                interrupt=check,
            ).status
        except TimedOutError as error:
            raise PaasError(
                "build-timeout",
                f"The build did not end within {limit_s:g} s and was stopped.",
                "If it needs that long, raise build_limit_s in server.yml.",
            ) from error

    def _environment(self, workspace: Path) -> dict[str, str]:
        return {
            **self._settings.build_env,
            "DOCKER_HOST": socket_url(self._settings),
            "DOCKER_CONFIG": str(workspace / "docker"),
            "DOCKER_BUILDKIT": "1",
            "HOME": str(workspace),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
        }


def _file_of(tree: Path, name: str) -> bytes | None:
    """A plain file of the tree, not reached through a link."""
    path = tree / name
    folders = [parent for parent in path.parents if parent.is_relative_to(tree)]
    if any(folder.is_symlink() for folder in folders):
        return None
    return read_plain_file(path.parent, path.name, DOCKERFILE_MAX_BYTES)


def _write(path: Path, content: bytes) -> None:
    files.write_atomic(path, content, mode=0o600, durable=False)


def _logins(wanted: DockerfileBuild) -> Mapping[str, object]:
    """Docker's config.json (docker(1)): a login for each registry."""
    return {
        "auths": {
            DOCKER_HUB if login.host == "docker.io" else login.host: {
                "auth": base64.b64encode(
                    f"{login.user}:{login.password.reveal()}".encode()
                ).decode()
            }
            for login in wanted.logins
        }
    }


def _no_dockerfile(path: str) -> PaasError:
    return PaasError(
        "no-dockerfile",
        f"The app's folder has no {path}, or it is behind a symbolic link.",
        "Add it, or choose another: paas builder:set dockerfile-path FILE; to build with "
        "buildpacks: paas builder:set buildpacks",
    )
