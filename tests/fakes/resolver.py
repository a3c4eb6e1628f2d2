"""DNS in memory."""

from collections.abc import Sequence


class FakeResolver:
    """`Resolver` of paas/interfaces. records: addresses by name."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[str, ...]] = {}
        self.own = frozenset({"192.0.2.1"})

    def lookup(self, hosts: Sequence[str], limit_s: float) -> dict[str, tuple[str, ...]]:
        del limit_s
        return {host: self.records.get(host, ()) for host in hosts}

    def own_addresses(self) -> frozenset[str]:
        return self.own
