"""An image's files without starting anything of it: in a container that is never started."""

import io
import tarfile
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from paas.adapters.docker.connection import API_VERSION, SERVER_LABEL, is_not_found

if TYPE_CHECKING:
    from docker import DockerClient


class ImageFiles:
    """A container that is made of the image for the block, and removed after it.

    name: the container's; one of that name, which a killed process left, is removed before.
    """

    def __init__(self, client: "DockerClient", image_id: str, name: str | None = None) -> None:
        self._client = client
        self._image_id = image_id
        self._name = name
        self._container = ""

    def __enter__(self) -> "ImageFiles":
        if self._name is not None:
            remove_named(self._client, self._name)
        # The labels of the image would make it a container of an app.
        made = self._client.api.create_container(
            self._image_id,
            command=["/"],
            entrypoint=["/"],
            name=self._name,
            network_disabled=True,
            labels={SERVER_LABEL: ""},
        )
        self._container = made["Id"]
        return self

    def __exit__(self, *_: object) -> None:
        self._client.api.remove_container(self._container, v=True, force=True)

    @property
    def id(self) -> str:
        """The container's."""
        return self._container

    def write(self, archive: bytes | Iterable[bytes]) -> None:
        """Add the files of a tar archive."""
        self._client.api.put_archive(self._container, "/", archive)

    def has(self, path: str) -> bool:
        """Whether there is something at path; links are followed inside the image.

        The SDK can only ask for the whole file, for which the engine starts a program.
        """
        from docker.errors import create_api_error_from_http_exception
        from requests.exceptions import HTTPError

        api = self._client.api
        url = f"{api.base_url}/v{API_VERSION}/containers/{self._container}/archive"
        answer = api.head(url, params={"path": path}, timeout=api.timeout)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return False
        try:
            answer.raise_for_status()
        except HTTPError as error:
            raise create_api_error_from_http_exception(error) from error
        return True

    def read(self, path: str, max_bytes: int) -> bytes | None:
        """A plain file's content, at most max_bytes of it; None if there is none."""
        found = self._archive(path)
        if found is None or found[1]["size"] > max_bytes:
            return None
        content = io.BytesIO()
        for piece in found[0]:
            content.write(piece)
            if content.tell() > max_bytes + 64 * tarfile.BLOCKSIZE:
                return None
        content.seek(0)
        with tarfile.open(fileobj=content) as archive:
            member = archive.next()
            file = archive.extractfile(member) if member and member.isfile() else None
            return file.read(max_bytes) if file else None

    def _archive(self, path: str) -> Any:
        from docker.errors import APIError

        try:
            return self._client.api.get_archive(self._container, path)
        except APIError as error:
            if is_not_found(error):
                return None
            raise


def remove_named(client: "DockerClient", name: str) -> None:
    """Delete a container by its name; no error if there is none."""
    from docker.errors import APIError

    try:
        client.api.remove_container(name, v=True, force=True)
    except APIError as error:
        if not is_not_found(error):
            raise
