"""The images of this server's builds, known by their labels."""

from paas.adapters.docker.connection import SERVER_LABEL, docker_client, is_not_found, server_label
from paas.adapters.docker.image_files import remove_named
from paas.domain.builds.images import ImageFacts, image_facts
from paas.domain.values.errors import PaasError
from paas.settings import Settings

APP_LABEL = "paas.app"
BUILD_LABEL = "paas.build"
_LOOK_LIMIT_S = 10.0


def labels(settings: Settings, app_id: int, build_id: str) -> dict[str, str]:
    """The labels of one build's image. They make its id its own, however much is cached."""
    return {
        SERVER_LABEL: server_label(settings),
        APP_LABEL: str(app_id),
        BUILD_LABEL: build_id,
    }


def container_of_slug(slug_id: str) -> str:
    """The name of the container in which a slug's image is made; it never starts."""
    return f"slug-{slug_id}"


class Images:
    """No image has a name that can be guessed, and be the base image of another's Dockerfile.

    Those that nodes pull have one, with a secret in it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def facts(self, image_id: str) -> ImageFacts:
        """What an image says of itself. Raises PaasError if there is none."""
        with docker_client(self._settings) as client:
            return image_facts(client.api.inspect_image(image_id))

    def has(self, image_id: str) -> bool:
        """Whether the image is there. Raises PaasError if the engine does not answer."""
        from docker.errors import APIError

        with docker_client(self._settings, answer_limit_s=_LOOK_LIMIT_S) as client:
            try:
                client.api.inspect_image(image_id)
            except APIError as error:
                if is_not_found(error):
                    return False
                raise
        return True

    def remove_build(self, build_id: str) -> bool:
        """Delete a build's image, if it has one; False: it is still there.

        That is so while a container of it runs, or the engine does not answer.
        """
        if not self._settings.paths.docker.exists():
            return True
        from docker.errors import APIError

        wanted = [
            f"{SERVER_LABEL}={server_label(self._settings)}",
            f"{BUILD_LABEL}={build_id}",
        ]
        try:
            with docker_client(self._settings) as client:
                remove_named(client, container_of_slug(build_id))
                for one in client.api.images(filters={"label": wanted}, all=True):
                    try:
                        # By its id alone the engine refuses what former registries of nodes named.
                        for name in (one["RepoTags"] or [])[1:]:
                            client.api.remove_image(name)
                        client.api.remove_image(one["Id"])
                    except APIError as error:
                        if not is_not_found(error):
                            return False
        except PaasError:
            return False
        return True
