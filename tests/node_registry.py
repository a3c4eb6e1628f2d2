"""The registry for nodes as tests run it, in place of a server's supervisord, and images for it."""

import io
import os
import re
import subprocess
import tarfile

from paas.adapters.cluster.registry_program import REGISTRY, registry_argv
from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.images import labels
from paas.settings import Settings


class RegistryProcess:
    """Debian's docker-registry, which ends with the test."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._child: subprocess.Popen[bytes] | None = None

    def keep_program(self, name: str, *, wanted: bool) -> None:
        """Run it, or not; nothing if it is so."""
        assert name == REGISTRY
        if wanted and self._child is None:
            with (self.settings.paths.logs / f"{name}.log").open("ab") as log:
                argv = registry_argv(self.settings)
                env = {"PATH": os.environ["PATH"]}
                self._child = subprocess.Popen(argv, env=env, stdout=log, stderr=log)
        elif not wanted and self._child is not None:
            self._child.terminate()
            self._child.wait(150)
            self._child = None

    def restart_program(self, name: str) -> None:
        """The registry; the engine of a test uses no proxy for its addresses."""
        if name == REGISTRY:
            self.keep_program(name, wanted=False)
            self.keep_program(name, wanted=True)


def small_image(settings: Settings, build_id: str) -> str:
    """The image of a build, which has one file; its id."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(build_id))
    changes = [f"LABEL {key}={text}" for key, text in labels(settings, 1, build_id).items()]
    with docker_client(settings) as client:
        said = client.api.import_image_from_data(buffer.getvalue(), changes=changes)
    found = re.search(r"sha256:[0-9a-f]{64}", said)
    assert found is not None, said
    return found[0]
