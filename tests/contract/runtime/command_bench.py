"""One-off commands under test, with the same words for the fake one and the real ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paas.adapters.runtime.docker.commands import DockerOneOff
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.commands import NativeOneOff
from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import Artifact
from paas.domain.values.secret import Secret
from paas.interfaces import OneOff
from tests.contract.builds.building import an_app, server
from tests.contract.cgroups import prepare_cgroups, remove_cgroups
from tests.docker_engine import DockerEngine
from tests.fakes.one_off import FakeOneOff


@dataclass
class CommandBench:
    """Runs commands of one app; what they print is in lines. left: what is still there of them."""

    one_off: OneOff
    artifact: Artifact
    cgroups: Cgroups | None = None
    left: Callable[[], list[str]] = list
    app: App = field(default_factory=lambda: an_app(1))
    lines: list[bytes] = field(default_factory=list)

    def run(
        self,
        command: str,
        *,
        name: str = "release.1",
        limit_s: float = 250.0,
        output: Callable[[bytes], None] | None = None,
        **config: str,
    ) -> int:
        """Run a command."""
        self.lines.clear()
        return self.one_off.run(
            self.app,
            self.artifact,
            {key: Secret(value) for key, value in config.items()},
            command,
            name=name,
            output=output or self.lines.append,
            limit_s=limit_s,
        )


def fake(_: pytest.FixtureRequest, root: Path) -> Iterator[CommandBench]:
    """In memory."""
    yield CommandBench(FakeOneOff(), Artifact(root))


def native(_: pytest.FixtureRequest, root: Path) -> Iterator[CommandBench]:
    """Processes of this machine, with an empty slug."""
    settings = server(root)
    slug = settings.state / "slugs/1-1"
    slug.mkdir(parents=True)
    cgroups = prepare_cgroups(settings)
    specs = settings.paths.command_specs

    def left() -> list[str]:
        return [*(path.name for path in specs.glob("*")), *cgroups.names()]

    yield CommandBench(NativeOneOff(settings), Artifact(slug), cgroups, left)
    remove_cgroups(cgroups)


def docker(request: pytest.FixtureRequest, root: Path) -> Iterator[CommandBench]:
    """Containers."""
    engine: DockerEngine = request.getfixturevalue("docker_engine")
    settings, cgroups = engine.settings, Cgroups(engine.settings)

    def left() -> list[str]:
        marks = settings.paths.docker_run.glob("one-off/*")
        return [*(path.name for path in marks), *engine.containers()]

    yield CommandBench(DockerOneOff(settings, cgroups), Artifact(root, engine.image), cgroups, left)
