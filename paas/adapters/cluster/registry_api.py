"""The registry for nodes by its API: https://distribution.github.io/distribution/spec/api/."""

import base64
import http.client
import json
import ssl
from collections.abc import Set
from typing import Any
from urllib.parse import quote

from paas.adapters.cluster.registry_record import RegistryRecord
from paas.domain.values.errors import PaasError

_LIMIT_S = 30.0
_OK, _DELETED, _UNKNOWN = 200, 202, 404
# The kinds of manifests that engines push.
_ACCEPT = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
    )
)


class RegistryApi:
    """One repository. Each call is a connection of its own; all raise PaasError ``registry``."""

    def __init__(self, record: RegistryRecord, user: str, repository: str, authority: str) -> None:
        self._record = record
        self._base = f"/v2/{quote(repository)}"
        login = f"{user}:{record.password.reveal()}".encode()
        self._login = f"Basic {base64.b64encode(login).decode()}"
        self._authority = authority

    def check(self) -> None:
        """Whether it answers, and takes the password."""
        self._ask("GET", "/v2/")

    def tags(self) -> Set[str]:
        """Of all images."""
        answer = self._ask("GET", f"{self._base}/tags/list", missing=True)
        if answer is None:
            return set()
        return set(json.loads(answer[1])["tags"] or ())

    def digest(self, tag: str) -> str | None:
        """The digest of the image with this tag; None if there is no such image."""
        answer = self._ask("HEAD", f"{self._base}/manifests/{quote(tag)}", missing=True)
        return answer[0]["Docker-Content-Digest"] if answer is not None else None

    def delete(self, digest: str) -> None:
        """Forget an image with its tags, if it exists."""
        self._ask("DELETE", f"{self._base}/manifests/{quote(digest)}", missing=True)

    def _ask(self, method: str, path: str, *, missing: bool = False) -> Any:
        """The header and the body of an answer; with missing, None for what is not there."""
        headers = {"Authorization": self._login, "Accept": _ACCEPT}
        context = ssl.create_default_context(cadata=self._authority)
        connection = http.client.HTTPSConnection(
            str(self._record.address), self._record.port, timeout=_LIMIT_S, context=context
        )
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise registry_down(str(error)) from error
        finally:
            connection.close()
        if answer.status in (_OK, _DELETED):
            return answer.headers, body
        if missing and answer.status == _UNKNOWN:
            return None
        said = body.decode("utf-8", "replace").strip()[:200]
        raise registry_down(f"it says {answer.status} {answer.reason} {said}".strip())


def registry_down(why: str) -> PaasError:
    """While the registry does not do what it is asked; what runs on nodes goes on."""
    return PaasError(
        "registry",
        f"The registry for nodes does not answer: {why}. What runs on nodes keeps running.",
        "The supervisor restarts it within seconds; then try again. To see its state: paas "
        "server:status",
    )
