"""DNS in memory."""

from collections.abc import Sequence

from paas.domain.routing.proofs import Records


class FakeResolver:
    """`Resolver` of paas/interfaces. addresses, aliases, tokens: what DNS says, by name.

    failure: why it says nothing. looked_up, asked: the names of each question.
    """

    def __init__(self) -> None:
        self.addresses: dict[str, tuple[str, ...]] = {}
        self.aliases: dict[str, tuple[str, ...]] = {}
        self.tokens: dict[str, frozenset[str]] = {}
        self.failure = ""
        self.looked_up: list[list[str]] = []
        self.asked: list[list[str]] = []
        self.own = frozenset({"192.0.2.1"})

    def lookup(self, hosts: Sequence[str], limit_s: float) -> dict[str, tuple[str, ...]]:
        del limit_s
        self.looked_up.append(list(hosts))
        return {host: self.addresses.get(host, ()) for host in hosts}

    def records(self, hosts: Sequence[str], limit_s: float) -> dict[str, Records]:
        del limit_s
        self.asked.append(list(hosts))
        if self.failure:
            return dict.fromkeys(hosts, Records(failure=self.failure))
        return {
            host: Records(
                self.addresses.get(host, ()),
                self.aliases.get(host, ()),
                self.tokens.get(host, frozenset()),
            )
            for host in hosts
        }

    def own_addresses(self) -> frozenset[str]:
        return self.own
