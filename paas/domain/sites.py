"""What the proxy knows of an app: its hosts and where its instances listen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """One app's entry at the proxy. hosts: DNS names; ports: of its web instances on loopback.

    No ports: the hosts answer 503 until there is an instance.
    """

    app_id: int
    hosts: tuple[str, ...]
    ports: tuple[int, ...]
