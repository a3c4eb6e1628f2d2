"""Builds commits with the real builder, for tests."""

import os
import subprocess
from dataclasses import replace
from itertools import count

from paas.adapters.docker.builder import DockerfileBuilder
from paas.adapters.docker.connection import docker_client
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.interfaces import Built
from paas.settings import Settings
from tests.contract.builds.building import an_app

NUMBERS = count(1)


class Workshop:
    """Builds commits of these files, and keeps what the builds print."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lines: list[str] = []
        self.ids: list[str] = []

    def build(
        self,
        dockerfile: str,
        wanted: DockerfileBuild | None = None,
        *,
        first: str = "",
        cancelled_by: str = "",
        app_id: int = 1,
        **limits: float,
    ) -> Built:
        """first: shell commands in the tree. cancelled_by: a line that cancels the build.

        limits: settings.
        """
        build_id = f"{app_id}-{os.getpid()}{next(NUMBERS)}"
        tree = self.settings.paths.builds / build_id
        tree.mkdir()
        if dockerfile:
            (tree / "Dockerfile").write_text(dockerfile)
        if first:
            subprocess.run(["/bin/sh", "-ec", first], cwd=tree, check=True)
        self.lines.clear()
        self.ids.append(build_id)

        def check() -> None:
            if cancelled_by and any(cancelled_by in line for line in self.lines):
                raise PaasError("build-cancelled", "Cancelled.")

        builder = DockerfileBuilder(replace(self.settings, **limits))  # type: ignore[arg-type]
        return builder.build(
            an_app(app_id),
            tree,
            {VarName("CONFIG"): Secret("c0nfig")},
            lambda line: self.lines.append(line.decode()),
            dockerfile=wanted,
            commit="c0ffee",
            check=check,
        )

    def history(self, built: Built) -> str:
        """All that the engine tells of an image."""
        assert built.image is not None
        with docker_client(self.settings) as client:
            facts = client.api.inspect_image(built.image.id)
            return f"{facts}{client.api.history(built.image.id)}"

    def output(self) -> str:
        """What the last build printed."""
        return "\n".join(self.lines)
