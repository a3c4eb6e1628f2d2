"""The number of connections in the machine's own nginx.conf."""

import pytest

from paas.entrypoints.installer.nginx_connections import lowered, raised

DEBIAN = "user www-data;\n\nevents {\n\tworker_connections 768;\n\t# multi_accept on;\n}\n"


def test_debian_s_number_is_raised_and_nothing_else() -> None:
    """Again it changes nothing, a new number replaces ours, and an uninstall brings back theirs."""
    text = raised(DEBIAN, 4096)
    assert text == DEBIAN.replace("768;", "4096; # paas: was 768")
    assert raised(text, 4096) == text
    assert raised(text, 8192) == DEBIAN.replace("768;", "8192; # paas: was 768")
    assert lowered(text) == DEBIAN


@pytest.mark.parametrize(
    "text",
    [
        DEBIAN.replace("768", "10000"),
        DEBIAN.replace("\tworker_connections 768;\n", ""),
        DEBIAN.replace("worker_connections", "# worker_connections"),
        DEBIAN.replace("768;", "768; multi_accept on;"),
        "",
    ],
)
def test_what_is_somebody_s_own_stays(text: str) -> None:
    """More than we want, nothing said, or a line with more in it."""
    assert raised(text, 4096) == text
    assert lowered(text) == text
