"""What is said when apps ask for services of the machine that are closed to them."""

from paas.domain.routing.refusals import opening_hint, refusal_words


def test_the_service_is_named() -> None:
    """By the port that it usually has; a port that says nothing stands alone."""
    words = refusal_words({5432, 4711})
    assert words.startswith(
        "It tried to connect to 127.0.0.1:4711 and 127.0.0.1:5432 (PostgreSQL)."
    )


def test_an_admin_opens_it() -> None:
    """By one setting and one command."""
    assert opening_hint({6379, 5432}) == (
        "In server.yml, add 5432, 6379 to the list host_ports, then run: sudo paas doctor --fix"
    )
