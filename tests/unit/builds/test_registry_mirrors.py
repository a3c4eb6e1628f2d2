"""Where images of Docker Hub may be fetched from instead."""

import pytest

from paas.domain.builds.registry_mirrors import registry_mirror
from paas.settings import Settings
from paas.settings_rules import problem


@pytest.mark.parametrize(
    "text",
    [
        *("https://mirror.example.com", "https://mirror.example.com:5000", "https://203.0.113.5"),
        *("http://127.0.0.1:5000", "http://10.0.0.5", "http://192.168.1.2:80", "http://localhost"),
    ],
)
def test_mirrors_that_are_taken(text: str) -> None:
    """With TLS any host; without it what is near. A slash at the end is cut."""
    assert registry_mirror(text) == registry_mirror(f"{text}/") == text
    assert problem(Settings(docker_registry_mirror=(text,))) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "mirror.example.com", "ftp://mirror.example.com", "https://", "https:///"),
        *("https://mirror.example.com/path", "https://a:b@mirror.example.com", "https://A.com"),
        *(
            "https://a.com:0",
            "https://a.com:65536",
            "https://a.com:x",
            "https://a.com?x",
            "https://",
        ),
        *("https://a.com\n", "https://a b.com", "http://mirror.example.com", "http://203.0.113.5"),
        *("http://8.8.8.8:5000", "http://localhost.example.com", 'https://a.com"'),
    ],
)
def test_mirrors_that_are_refused(text: str) -> None:
    """No host, a path or a login, and names that anybody on the way could answer for."""
    with pytest.raises(ValueError, match="https://"):
        registry_mirror(text)
    found = problem(Settings(docker_registry_mirror=("https://a.com", text)))
    assert found is not None
    assert found.startswith("docker_registry_mirror takes ")
