"""Asks DNS servers for the records of names: addresses, aliases, and the TXT record for proofs."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from paas.domain.routing.hosts import WILDCARD
from paas.domain.routing.proofs import Records, record_name, tokens_of

if TYPE_CHECKING:
    from dns.resolver import Resolver

LOOKUPS_AT_ONCE = 32
# A sample for any name below a wildcard.
ANY_LABEL = "paas-dns-check."
TEXTS_MAX = 100

# Addresses and ports; none: those of /etc/resolv.conf.
Servers = Sequence[tuple[str, int]]


def sample(host: str) -> str:
    """The name to ask for: of a wildcard some name below it."""
    return ANY_LABEL + host.removeprefix(WILDCARD) if host.startswith(WILDCARD) else host


def records(
    hosts: Sequence[str], servers: Servers, limit_s: float, *, with_proofs: bool = True
) -> dict[str, Records]:
    """What DNS says about each name. limit_s: for all; what has no answer by then has failed.

    with_proofs: also ask for the record for proofs.
    """
    hosts = list(dict.fromkeys(hosts))
    if not hosts:
        return {}
    import dns.nameserver
    import dns.resolver  # noqa: F401 - 60 ms and 3 MiB, which few commands need

    deadline = time.monotonic() + limit_s
    with ThreadPoolExecutor(min(LOOKUPS_AT_ONCE, len(hosts))) as pool:
        found = pool.map(lambda host: _Look(host, servers, deadline).all(with_proofs), hosts)
        return dict(zip(hosts, found, strict=True))


class _Look:
    """The questions about one name. deadline: of all of them, as time.monotonic()."""

    def __init__(self, host: str, servers: Servers, deadline: float) -> None:
        self._host = host
        self._servers = servers
        self._deadline = deadline
        self._addresses: list[str] = []
        self._aliases: list[str] = []
        self._texts: list[str] = []
        self._failure = ""

    def all(self, with_proofs: bool) -> Records:
        """The answers to all questions."""
        self._ask(sample(self._host), "A")
        self._ask(sample(self._host), "AAAA")
        if with_proofs:
            self._ask(record_name(self._host), "TXT")
        return Records(
            tuple(self._addresses),
            tuple(dict.fromkeys(self._aliases)),
            tokens_of(self._texts),
            self._failure,
        )

    def _ask(self, name: str, kind: str) -> None:
        """Note what is there; a name that does not exist is an answer, too."""
        from dns.exception import DNSException, Timeout
        from dns.resolver import NXDOMAIN, NoNameservers, NoResolverConfiguration

        left_s = self._deadline - time.monotonic()
        try:
            if left_s <= 0:
                raise Timeout
            answer = self._resolver().resolve(
                name, kind, search=False, lifetime=left_s, raise_on_no_answer=False
            )
        except NXDOMAIN:
            return
        except Timeout:
            self._fail("no DNS server answered in time")
        except NoNameservers:
            self._fail(f"DNS answered with an error to a question for {name} ({kind})")
        except NoResolverConfiguration:
            self._fail("this server knows no DNS server")
        except DNSException:
            # Such as a name that is too long with the label of the record: it cannot be there.
            return
        else:
            values = list(answer.rrset or ())
            if kind == "TXT":
                texts = [b"".join(value.strings) for value in values[:TEXTS_MAX]]
                self._texts += [text.decode("utf-8", "replace") for text in texts]
                return
            self._addresses += sorted(str(value.address) for value in values)
            for alias in answer.chaining_result.cnames:
                self._aliases += [str(value.target).rstrip(".").lower() for value in alias]

    def _resolver(self) -> "Resolver":
        from dns.nameserver import Do53Nameserver
        from dns.resolver import Resolver

        if not self._servers:
            return Resolver()
        resolver = Resolver(configure=False)
        resolver.nameservers = [Do53Nameserver(*server) for server in self._servers]
        return resolver

    def _fail(self, why: str) -> None:
        self._failure = self._failure or why
