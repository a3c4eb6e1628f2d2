"""Images of slugs: what buildpacks made, as one layer on the runtime image."""

import io
import tarfile
from pathlib import Path

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.image_files import ImageFiles
from paas.adapters.docker.images import container_of_slug, labels
from paas.adapters.docker.python_layers import PythonLayers
from paas.adapters.docker.runtime_images import RuntimeImages
from paas.adapters.docker.tree_archive import TreeArchive
from paas.domain.apps.apps import App
from paas.domain.builds.runtime_image import RuntimeImage
from paas.domain.releases.artifacts import IMAGE_PORT, Image
from paas.interfaces import Clock, Progress
from paas.settings import Settings

_ACCOUNTS_MAX_BYTES = 1024**2
_APP = "app"


class DockerSlugImages:
    """See interfaces.SlugImages. Each image has the id of its slug as a label, as all have."""

    def __init__(
        self, settings: Settings, clock: Clock, runtime: RuntimeImages | None = None
    ) -> None:
        self._settings = settings
        self._runtime = runtime or RuntimeImages(settings, clock)
        self._pythons = PythonLayers(settings)

    def make(
        self,
        app: App,
        tree: Path,
        progress: Progress,
        *,
        port: int | None = None,
        dependencies: Path | None = None,
    ) -> tuple[Image, int]:
        """See interfaces.SlugImages."""
        base = self._runtime.ready(progress)
        progress.step(f"Building an image on {base.name}")
        trees = [tree] if dependencies is None else [tree, dependencies]
        archives = [TreeArchive(one, _APP, owner=app.uid, check=progress.check) for one in trees]
        limit_s = self._settings.build_limit_s
        with (
            docker_client(self._settings, answer_limit_s=limit_s) as client,
            ImageFiles(
                client,
                self._pythons.base(client, base.id, trees[-1], progress),
                container_of_slug(tree.name),
            ) as container,
        ):
            container.write(_accounts(container, app.uid))
            for archive in archives:
                container.write(archive.pieces())
            made = client.api.commit(
                container.id,
                conf={
                    "Labels": labels(self._settings, app.id, tree.name),
                    "WorkingDir": f"/{_APP}",
                    "Entrypoint": [],
                    "Cmd": ["/bin/bash"],
                },
            )
        image = Image(str(made["Id"]), port if port is not None else IMAGE_PORT, slug=True)
        return image, sum(archive.size_bytes for archive in archives)

    def runtime(self) -> RuntimeImage | None:
        """See interfaces.SlugImages."""
        return self._runtime.current()

    def renew_runtime(self, progress: Progress) -> RuntimeImage:
        """See interfaces.SlugImages."""
        return self._runtime.make(progress)


def _accounts(container: ImageFiles, uid: int) -> bytes:
    """The image's lists of accounts with the app's own, as processes see them natively."""
    lines = {
        "etc/passwd": f"app:x:{uid}:{uid}::/app:/bin/bash\n",
        "etc/group": f"app:x:{uid}:\n",
    }
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, line in lines.items():
            there = container.read(f"/{name}", _ACCOUNTS_MAX_BYTES) or b""
            content = there + line.encode()
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o644, len(content)
            archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()
