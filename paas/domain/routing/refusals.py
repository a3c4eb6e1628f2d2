"""What to say when apps ask for a service of the machine's loopback that is closed to them."""

from collections.abc import Iterable

_USUAL = {
    1433: "SQL Server",
    3306: "MariaDB or MySQL",
    5432: "PostgreSQL",
    5672: "RabbitMQ",
    6379: "Redis",
    9200: "Elasticsearch",
    11211: "memcached",
    27017: "MongoDB",
}


def refusal_words(ports: Iterable[int]) -> str:
    """A sentence about the connections of an app to these ports."""
    places = " and ".join(
        f"127.0.0.1:{port}" + (f" ({_USUAL[port]})" if port in _USUAL else "")
        for port in sorted(ports)
    )
    return (
        f"It tried to connect to {places}. The server has a service there, which apps do not reach "
        "until an admin opens the port to all of them."
    )


def opening_hint(ports: Iterable[int]) -> str:
    """What the admin does."""
    numbers = ", ".join(str(port) for port in sorted(ports))
    return f"In server.yml, add {numbers} to the list host_ports, then run: sudo paas doctor --fix"
