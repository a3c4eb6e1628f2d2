"""How an app is reached, as its users have set it."""

from dataclasses import dataclass

from paas.domain.sites import Redirect


@dataclass(frozen=True, slots=True)
class Routing:
    """What was set for an app's routing; what was not has the value here.

    domains: host names beside the app's own below the server's domain, ``*.`` first for a wildcard.
    own_host: whether that own name answers.
    """

    domains: tuple[str, ...] = ()
    own_host: bool = True
    redirects: tuple[Redirect, ...] = ()

    @property
    def claimed(self) -> frozenset[str]:
        """The names that no other app may have."""
        return frozenset(self.domains) | {redirect.host for redirect in self.redirects}
