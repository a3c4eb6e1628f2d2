"""Images from elsewhere: from a registry, or from an archive by ``docker save``."""

import secrets
from collections.abc import Callable, Sequence
from typing import BinaryIO

from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.image_archives import checked_archive, no_image
from paas.domain.builds.build_values import RegistryLogin
from paas.domain.builds.images import (
    ImageReference,
    image_facts,
    image_id,
    refuse_unusable,
)
from paas.domain.values.errors import PaasError
from paas.settings import Settings

_LOADED = "Loaded image ID: "
DOCKER_HUB = "docker.io"


class DockerImageSource:
    """See interfaces.ImageSource."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def digest(self, reference: ImageReference, logins: Sequence[RegistryLogin]) -> str:
        """See interfaces.ImageSource."""
        from docker.errors import APIError

        host = _registry(reference)
        auth = next(
            (
                {"username": login.user, "password": login.password.reveal()}
                for login in logins
                if login.host == host
            ),
            {},
        )
        with docker_client(self._settings) as client:
            try:
                found = client.api.inspect_distribution(str(reference), auth_config=auth)
            except APIError as error:
                raise _not_there(reference, host, str(error.explanation or error)) from error
        return image_id(str(found["Descriptor"]["digest"]))

    def load(self, app_id: int, archive: BinaryIO, check: Callable[[], None]) -> str:
        """See interfaces.ImageSource."""
        name = f"{_prefix(app_id)}{secrets.token_hex(16)}"
        with docker_client(self._settings, answer_limit_s=self._settings.build_limit_s) as client:
            there = {one["Id"] for one in client.api.images(all=True)}
            found = None
            for answer in client.api.load_image(checked_archive(self._settings, archive, check)):
                if str(answer.get("stream", "")).startswith(_LOADED):
                    found = answer["stream"].removeprefix(_LOADED).strip()
            if found is None:
                raise no_image("the engine found none in it")
            try:
                refuse_unusable(image_facts(client.api.inspect_image(image_id(found))))
            except PaasError:
                if found not in there:
                    client.api.remove_image(found)
                raise
            client.api.tag(found, name)
        return f"{name}:latest"

    def forget_loaded(self, app_id: int, keep: str | None = None) -> None:
        """See interfaces.ImageSource."""
        if not self._settings.paths.docker.exists():
            return
        with docker_client(self._settings) as client:
            for one in client.api.images(filters={"reference": f"{_prefix(app_id)}*"}):
                for name in one["RepoTags"] or ():
                    if name != keep and name.startswith(_prefix(app_id)):
                        client.api.remove_image(name)


def _prefix(app_id: int) -> str:
    """The beginning of the names of an app's loaded images; the rest cannot be guessed."""
    return f"paas-loaded/{app_id}-"


def _registry(reference: ImageReference) -> str:
    """The host in a reference: its first part, if that looks like one."""
    first, slash, _ = reference.name.partition("/")
    return first if slash and ("." in first or ":" in first) else DOCKER_HUB


def _not_there(reference: ImageReference, host: str, said: str) -> PaasError:
    denied = any(word in said for word in ("unauthorized", "denied", "no basic auth"))
    hint = f"Correct the name; if it is private: paas registry:login {host} USER < token.txt"
    if not denied:
        hint = "Correct the name, or load a file: paas git:load-image < image.tar"
    return PaasError("image-not-found", f"{reference} was not found: {said.rstrip('.')}.", hint)
