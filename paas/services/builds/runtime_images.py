"""The runtime image of the server, for its administrators."""

from dataclasses import dataclass

from paas.domain.builds.runtime_image import RuntimeImage
from paas.domain.people.actors import Actor
from paas.domain.releases.artifacts import DOCKER
from paas.domain.values.errors import PaasError
from paas.interfaces import Engines, Progress, SlugImages
from paas.services.access import require_admin


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeImageUses:
    """Look at it, and have it made. Apps get a new one with their next push."""

    engines: Engines
    slug_images: SlugImages

    def look(self, actor: Actor) -> RuntimeImage | None:
        """None: it was not made yet. Raises PaasError."""
        self._refuse(actor, "see the runtime image")
        return self.slug_images.runtime()

    def renew(self, actor: Actor, progress: Progress) -> RuntimeImage:
        """Build it again. If that fails, raises PaasError and keeps the former one."""
        self._refuse(actor, "make the runtime image")
        return self.slug_images.renew_runtime(progress)

    def _refuse(self, actor: Actor, what: str) -> None:
        require_admin(actor, what)
        if DOCKER not in self.engines.names():
            raise PaasError(
                "no-docker",
                "The runtime image is for containers, and this server has no Docker.",
                "Add it: sudo ./install.sh --docker",
            )
