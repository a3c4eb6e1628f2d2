"""Images: their names elsewhere, and what they say about themselves."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

DEFAULT_PORT = 5_000
PORT_MAX = 65_535
REFERENCE_MAX = 255
LAYERS_MAX = 120
# The labels by which the platform knows its own containers and images.
OWN_LABELS = "paas."

_HOST = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
# https://pkg.go.dev/github.com/distribution/reference: the grammar of a reference
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ID = re.compile(r"sha256:[0-9a-f]{64}")
_REGISTRY = re.compile(_HOST)
_PORT = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image in a registry: ``registry.example.com/team/shop:1.2`` or ``...@sha256:...``."""

    name: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}{f'@{self.digest}' if self.digest else ''}"

    def pinned(self, digest: str) -> str:
        """The same image, identified by its content instead of a tag that may move."""
        return f"{self.name}@{digest}"


def image_reference(text: str) -> ImageReference:
    """Validate a user's name for an image. Raises a usage error."""
    found = _REFERENCE.fullmatch(text) if len(text) <= REFERENCE_MAX else None
    if found is None or _ID.fullmatch(text) or re.fullmatch(r"[0-9a-f]{64}", text):
        raise usage_error(
            "image-name",
            f"{shown(text)} does not name an image in a registry.",
            "For example: registry.example.com/team/shop:1.2, or the same with @sha256:... at "
            "its end",
        )
    return ImageReference(found["name"], found["tag"], found["digest"])


def image_id(text: str) -> str:
    """Validate an image's id, as the engine returns it. Raises PaasError."""
    if not _ID.fullmatch(text):
        raise PaasError("image-id", f"The engine named no image: {shown(text)}.")
    return text


def registry_host(text: str) -> str:
    """Validate a registry's host, with its port if it has one. Raises a usage error."""
    if len(text) > REFERENCE_MAX or not _REGISTRY.fullmatch(text):
        raise usage_error(
            "registry-host",
            f"{shown(text)} is not the host of a registry.",
            "For example: registry.example.com, or registry.example.com:5000",
        )
    return text


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What an image says about itself.

    id: ``sha256:...``. entrypoint and command: what is started. user: as in ``USER``; empty means
    root. directory: where it starts. ports: the TCP ports of ``EXPOSE``, sorted. health: whether it
    has a ``HEALTHCHECK``. labels: those of the image. size_bytes: including its base image.
    """

    id: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    user: str
    directory: str
    ports: tuple[int, ...]
    health: bool
    labels: Mapping[str, str]
    layers: int
    size_bytes: int

    @property
    def starts(self) -> tuple[str, ...]:
        """What runs in a container that is given no command."""
        return (*self.entrypoint, *self.command)


def image_facts(found: Mapping[str, Any]) -> ImageFacts:
    """Read the engine's description of an image (Engine API, ``GET /images/{name}/json``)."""
    config = found.get("Config") or {}
    health = (config.get("Healthcheck") or {}).get("Test") or []
    return ImageFacts(
        id=image_id(str(found.get("Id"))),
        entrypoint=_words(config.get("Entrypoint")),
        command=_words(config.get("Cmd")),
        user=str(config.get("User") or ""),
        directory=str(config.get("WorkingDir") or "/"),
        ports=_tcp_ports(config.get("ExposedPorts") or {}),
        health=bool(health) and health != ["NONE"],
        labels=dict(config.get("Labels") or {}),
        layers=len((found.get("RootFS") or {}).get("Layers") or ()),
        size_bytes=int(found.get("Size") or 0),
    )


def refuse_unusable(image: ImageFacts, given: Collection[str] = ()) -> None:
    """Raises PaasError if containers cannot be created from the image.

    given: the labels that the platform itself has set.
    """
    foreign = set(image.labels) - set(given)
    own = sorted(label for label in foreign if label.startswith(OWN_LABELS))
    if own:
        raise PaasError(
            "image-label",
            f"The image has the label {shown(own[0])}: labels that begin with {OWN_LABELS} are the "
            "platform's own.",
            "Remove that LABEL from the Dockerfile, or use a base image without it.",
        )
    refuse_layers(image.layers)


def refuse_layers(count: int) -> None:
    """Raises PaasError if no container could be created from an image of so many layers."""
    if count > LAYERS_MAX:
        raise PaasError(
            "image-layers",
            f"The image has {count} layers; the limit is {LAYERS_MAX}.",
            "Merge steps of the Dockerfile: RUN a && b makes one layer.",
        )


def writes_storage(user: str, uid: int) -> bool:
    """Whether an image with that USER can write to what belongs to the app's uid, as root can."""
    return user.partition(":")[0] in {"", "root", "0", str(uid)}


def default_port(image: ImageFacts, chosen: int | None) -> int:
    """The value of PORT in a container.

    chosen: set by ``ports:set``. Without it, the only port that the image exposes; if there are
    several, which may come from a base image, they are ignored.
    """
    if chosen is not None:
        return chosen
    return image.ports[0] if len(image.ports) == 1 else DEFAULT_PORT


def port_number(text: str) -> int:
    """Validate a port in a container. Raises a usage error."""
    if not _PORT.fullmatch(text) or int(text) > PORT_MAX:
        raise usage_error(
            "container-port",
            f"{shown(text)} is not a port: a number from 1 to {PORT_MAX}.",
            "For example: paas ports:set web=8080",
        )
    return int(text)


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, Sequence) and value else ()


def _tcp_ports(exposed: Mapping[str, object]) -> tuple[int, ...]:
    names = (name.removesuffix("/tcp") for name in exposed)
    return tuple(sorted({int(n) for n in names if _PORT.fullmatch(n) and int(n) <= PORT_MAX}))
