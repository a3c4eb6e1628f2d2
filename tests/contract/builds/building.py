"""What the tests of builders build with: a server's directories, and apps in them."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from paas.adapters.builds.builder import BuildpackBuilder
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.apps.apps import App
from paas.domain.builds.buildpacks import Buildpack
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.domain.values.secret import Secret
from paas.interfaces import Builder, Built
from paas.settings import Settings
from tests.contract.cgroups import prepare_cgroups, remove_cgroups
from tests.fakes.buildpacks import FakeBuilder
from tests.uids import uid_of

CODE = Path(__file__).parents[3]
NETWORK = (
    *("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY"),
    *("PIP_FIND_LINKS", "UV_FIND_LINKS"),
)


@dataclass
class Bench:
    """A builder, and where its apps' trees are."""

    root: Path
    builder: Builder
    cgroups: Cgroups | None = None
    lines: list[str] = field(default_factory=list)
    builds: int = 0

    def build(
        self,
        files: Mapping[str, str],
        *,
        app_id: int = 1,
        buildpacks: Sequence[Buildpack] = (),
        commit: str = "",
        share_dependencies: bool = False,
        check: Callable[[], None] = lambda: None,
        first: str = "",
        **config: str,
    ) -> Built:
        """Build an app of these files; what it prints is in output().

        first: shell commands that add what is no plain file.
        """
        self.builds += 1
        self.lines.clear()
        app = an_app(app_id)
        tree = self.root / "var/builds" / f"{app_id}-{self.builds}"
        tree.mkdir(parents=True)
        for name, content in files.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        if first:
            subprocess.run(["/bin/sh", "-ec", first], cwd=tree, check=True)
        for path in (tree, *tree.rglob("*")):
            os.chown(path, app.uid, app.uid, follow_symlinks=False)
        secrets = {name: Secret(value) for name, value in config.items()}
        return self.builder.build(
            app,
            tree,
            secrets,
            self._hear,
            buildpacks=buildpacks,
            commit=commit,
            share_dependencies=share_dependencies,
            check=check,
        )

    def expect(self, built: Built | None = None, failure: PaasError | None = None) -> None:
        """What the next build of the fake one comes to; the real one finds out on its own."""
        if isinstance(self.builder, FakeBuilder):
            self.builder.failure = failure
            if built is not None:
                self.builder.built, self.builder.processes = built, dict(built.processes)

    def _hear(self, line: bytes) -> None:
        self.lines.append(line.decode())

    def output(self) -> str:
        """What the last build printed."""
        return "\n".join(self.lines)

    def close(self) -> None:
        """Remove the cgroups."""
        remove_cgroups(self.cgroups)

    def tree(self, app_id: int = 1) -> Path:
        """The last build's tree."""
        return self.root / "var/builds" / f"{app_id}-{self.builds}"


class MakeBench(Protocol):
    """Makes a bench in a directory."""

    def __call__(self, root: Path) -> Bench: ...


def an_app(app_id: int) -> App:
    """An app with a uid of its own."""
    return App(
        id=app_id,
        name=AppName(f"app{app_id}"),
        uid=uid_of(app_id),
        deploy_branch=None,
        current=None,
        rollout_id=None,
        created_at=datetime.now(UTC),
    )


def server(root: Path) -> Settings:
    """The directories of a server whose installed version is this source tree."""
    version = root / "opt/versions/1"
    for directory in (root / "etc", root / "var/builds", root / "run", version):
        directory.mkdir(parents=True)
    for name in ("paas", "buildpacks"):
        (version / name).symlink_to(CODE / name)
    (version / "venv").symlink_to(sys.prefix)  # these tests run in an environment with uv
    (root / "opt/current").symlink_to("versions/1")
    return Settings(
        etc=root / "etc",
        state=root / "var",
        run=root / "run",
        opt=root / "opt",
        embedded=True,
        build_env={name: os.environ[name] for name in NETWORK if name in os.environ},
    )


def real(root: Path, change: Callable[[Settings], Settings] = lambda same: same) -> Bench:
    """The real builder, in the real sandbox."""
    settings = change(server(root))
    return Bench(root, BuildpackBuilder(settings), prepare_cgroups(settings))


def impatient(root: Path) -> Bench:
    """The real builder with a time limit of one second."""
    return real(root, lambda settings: replace(settings, build_limit_s=1.0))


def fake(root: Path) -> Bench:
    """The fake builder."""
    return Bench(root, FakeBuilder())
