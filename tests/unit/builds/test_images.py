"""Images: the references that are accepted, and what is read of the engine's answer."""

from typing import Any

import pytest

from paas.domain.builds.images import (
    ImageFacts,
    default_port,
    image_facts,
    image_reference,
    port_number,
    refuse_unusable,
    registry_host,
)
from paas.domain.values.errors import PaasError

ID = "sha256:" + "a" * 64


def _facts(**config: Any) -> ImageFacts:
    return image_facts({"Id": ID, "Config": config, "RootFS": {"Layers": ["x"]}, "Size": 10})


@pytest.mark.parametrize(
    "text",
    [
        "redis",
        "redis:7",
        "team/shop",
        "registry.example.com:5000/team/shop_x:1.2-rc",
        f"ghcr.io/team/shop@{ID}",
        f"ghcr.io/team/shop:1@{ID}",
    ],
)
def test_references(text: str) -> None:
    """What Docker takes is taken, and comes out as it went in."""
    assert str(image_reference(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "-redis", "Redis", "a b", "a\n", "../x", "a@sha256:12", ID, "a" * 64, "x:" + "y" * 300],
)
def test_references_that_are_refused(text: str) -> None:
    """Options, ids and what breaks a line name no image of a registry."""
    with pytest.raises(PaasError, match="does not name an image"):
        image_reference(text)


def test_a_reference_is_pinned_by_its_digest() -> None:
    """The tag may move; the digest stays."""
    assert image_reference("ghcr.io/team/shop:1").pinned(ID) == f"ghcr.io/team/shop@{ID}"


@pytest.mark.parametrize("text", ["", "-x", "a/b", "a b", "https://a", "A.example"])
def test_registries_that_are_refused(text: str) -> None:
    """A registry is a host, with a port or without."""
    with pytest.raises(PaasError, match="is not the host of a registry"):
        registry_host(text)
    assert registry_host("registry.example.com:5000") == "registry.example.com:5000"


def test_what_an_image_says_of_itself() -> None:
    """Commands, user, directory, exposed TCP ports and the health check."""
    found = _facts(
        Entrypoint=["/entry"],
        Cmd=["serve", "--all"],
        User="33:1000",
        WorkingDir="/srv",
        ExposedPorts={"8080/tcp": {}, "53/udp": {}, "22/tcp": {}},
        Healthcheck={"Test": ["CMD-SHELL", "true"]},
        Labels={"a": "b"},
    )
    assert found.starts == ("/entry", "serve", "--all")
    assert (found.user, found.directory, found.ports) == ("33:1000", "/srv", (22, 8080))
    assert found.health
    assert (found.layers, found.size_bytes) == (1, 10)


def test_an_image_that_says_nothing() -> None:
    """Everything but the id may be missing, or null."""
    found = image_facts({"Id": ID, "Config": {"Cmd": None, "ExposedPorts": None}})
    assert (found.starts, found.user, found.directory, found.ports) == ((), "", "/", ())
    assert not found.health
    assert not _facts(Healthcheck={"Test": ["NONE"]}).health


def test_an_id_is_checked() -> None:
    """An answer without an id names no image."""
    with pytest.raises(PaasError, match="named no image"):
        image_facts({"Config": {}})


@pytest.mark.parametrize(
    ("exposed", "chosen", "expected"),
    [
        ({}, None, 5000),
        ({"8080/tcp": {}}, None, 8080),
        ({"8080/tcp": {}, "22/tcp": {}}, None, 5000),
        ({"53/udp": {}}, None, 5000),
        ({"22/tcp": {}}, None, 22),
        ({"65536/tcp": {}, "²/tcp": {}, "1-2/tcp": {}, "9" * 5_000: {}, "": {}}, None, 5000),
        ({"8080/tcp": {}}, 3000, 3000),
    ],
)
def test_the_value_of_port(exposed: dict[str, object], chosen: int | None, expected: int) -> None:
    """ports:set, else the only exposed TCP port, else 5000."""
    assert default_port(_facts(ExposedPorts=exposed), chosen) == expected


@pytest.mark.parametrize("text", ["", "0", "65536", "-1", "80 ", "0x50", "1" * 10, "٣"])
def test_ports_that_are_refused(text: str) -> None:
    """A port is a plain number from 1 to 65535."""
    with pytest.raises(PaasError, match="is not a port"):
        port_number(text)
    assert port_number("65535") == 65_535


def test_labels_of_the_platform_are_refused() -> None:
    """An image cannot pretend to be a container of the platform's."""
    refuse_unusable(_facts(Labels={"org.example": "x", "paasage": "y"}))
    with pytest.raises(PaasError, match=r"label 'paas\.app'"):
        refuse_unusable(_facts(Labels={"paas.app": "other"}))
    refuse_unusable(_facts(Labels={"paas.app": "12"}), given={"paas.app"})


def test_images_of_too_many_layers_are_refused() -> None:
    """The kernel stacks no more than about 128."""
    many = image_facts({"Id": ID, "RootFS": {"Layers": ["x"] * 10_000}})
    with pytest.raises(PaasError, match="10000 layers; the limit is 120"):
        refuse_unusable(many)
