"""Whose a host name is: what DNS must say before an app answers to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from paas.domain.routing.hosts import WILDCARD, is_below
from paas.domain.routing.sites import Redirect

# Internal: what the monitor process asks the gate for.
CHECK_COMMAND = "domains:check"
# After the first, second, ... check of a pending name: people who have just set a record wait.
WAITS = tuple(timedelta(seconds=s) for s in (15, 15, 30, 60, 120, 300, 600, 1800, 3600))
# Names that are in nobody's DNS (RFC 6761, RFC 6762), so that nothing could prove them.
UNOWNED = frozenset({"example", "invalid", "local", "localhost", "test"})
_VALUE = "paas-app="


class ProofMode(StrEnum):
    """The setting `domain_proof`. DNS: an address of this server, or the record; TXT: the record.

    NONE: every name is first come, first served.
    """

    DNS = "dns"
    TXT = "txt"
    NONE = "none"


class Proof(StrEnum):
    """Why an app may have a name. ADMIN: an admin vouched for it. FREE: it needs no proof."""

    DNS = "dns"
    TXT = "txt"
    ADMIN = "admin"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Records:
    """What DNS says about a name: its addresses, and the names that it is an alias of (CNAME).

    tokens: those of its record for proofs. failure: why DNS did not answer one of the questions;
    empty if it did.
    """

    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    tokens: frozenset[str] = frozenset()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a check. proof: None, if there is none; then why says so.

    records: what it was found by.
    """

    proof: Proof | None
    why: str = ""
    records: Records = Records()


@dataclass(frozen=True, slots=True)
class Pending:
    """A name that an app answers to once it is proven.

    user: who added it. redirect: what it will do instead of answering. tries: how often it was
    checked. again: when it is next. why: what was missing the last time.
    """

    host: str
    user: str
    since: datetime
    again: datetime
    redirect: Redirect | None = None
    tries: int = 0
    why: str = ""

    def checked(self, now: datetime, why: str) -> "Pending":
        """The same, after a check that found no proof."""
        wait = WAITS[min(self.tries, len(WAITS) - 1)]
        return replace(self, tries=self.tries + 1, again=now + wait, why=why)


def needs_proof(host: str, domain: str) -> bool:
    """Whether a name is one that somebody may own. domain: the server's, below which none is."""
    bare = host.removeprefix(WILDCARD)
    return not is_below(bare, domain) and bare.rpartition(".")[2] not in UNOWNED


def record_name(host: str) -> str:
    """Where the TXT record of a name is; a wildcard has that of the name below which it is."""
    return f"_paas.{host.removeprefix(WILDCARD)}"


def record_value(token: str) -> str:
    """What the TXT record of an app's name says."""
    return f"{_VALUE}{token}"


def tokens_of(texts: Iterable[str]) -> frozenset[str]:
    """The tokens that TXT records name; other records mean nothing here."""
    plain = (text.strip() for text in texts)
    return frozenset(text.removeprefix(_VALUE) for text in plain if text.startswith(_VALUE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an app stands to what DNS says about a name.

    named: the name's record has the app's token; others_named: another app's of this server.
    here: the name leads to this server; to_another: to the own name of somebody else's app.
    """

    named: bool
    others_named: bool
    here: bool
    to_another: bool


def judge(host: str, records: Records, standing: Standing, mode: ProofMode) -> Verdict:
    """Whether the app may have the name.

    The record decides: it names the app, while several apps of a server share its addresses.
    """
    if standing.named:
        return Verdict(Proof.TXT, records=records)
    if records.failure:
        settings = "see dns_servers and domain_proof in server.yml"
        return Verdict(None, f"{records.failure} ({settings})", records)
    if standing.others_named:
        return Verdict(None, f"the TXT record {record_name(host)} names another app", records)
    if mode is ProofMode.TXT:
        return Verdict(None, f"there is no TXT record {record_name(host)} for this app", records)
    if standing.to_another:
        return Verdict(None, "its DNS points to another app", records)
    if standing.here:
        return Verdict(Proof.DNS, records=records)
    return Verdict(None, _elsewhere(records.addresses), records)


def _elsewhere(addresses: Sequence[str]) -> str:
    if not addresses:
        return "its DNS has no address"
    return f"its DNS points to {', '.join(addresses)}, which is not this server"
