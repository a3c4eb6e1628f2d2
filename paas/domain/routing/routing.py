"""How an app is reached, as its users have set it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from paas.domain.routing.paths import OWN_HOST, PathRoute
from paas.domain.routing.sites import Redirect
from paas.domain.routing.statics import StaticPath


@dataclass(frozen=True, slots=True)
class Routing:
    """What was set for an app's routing; what was not has the value here.

    domains: host names in addition to the app's own below the server's domain, ``*.`` first for a
    wildcard. own_host: whether that own name answers. settings: by key, see router_settings.py.
    users: hashed passwords by name; if there are any, visitors have to log in. statics: in addition
    to those of the config. proofs: why the app has a name, see proofs.py; names from before there
    were proofs have none, and are kept. paths: of its hosts, which other apps answer; of its own
    host with OWN_HOST. by_path: whether paths of hosts may be this app's. tcp_ports: of the server,
    that lead to its web instances.
    """

    domains: tuple[str, ...] = ()
    own_host: bool = True
    redirects: tuple[Redirect, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    statics: tuple[StaticPath, ...] = ()
    proofs: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[PathRoute, ...] = ()
    by_path: bool = False
    tcp_ports: tuple[int, ...] = ()

    def names(self, own: str) -> tuple[str, ...]:
        """Every host name: those that answer, the one to show first, and those that redirect.

        own: the app's name below the server's domain.
        """
        mine = [own] if self.own_host else []
        redirected = [redirect.host for redirect in self.redirects]
        return tuple(dict.fromkeys([*mine, *self.domains, *redirected]))

    @property
    def claimed(self) -> frozenset[str]:
        """The names that no other app may have."""
        return frozenset(self.domains) | {redirect.host for redirect in self.redirects}

    def paths_at(self, own: str) -> tuple[PathRoute, ...]:
        """The paths with the names of their hosts. own: as of `names`."""
        return tuple(
            replace(path, host=own) if path.host == OWN_HOST else path for path in self.paths
        )

    def pruned(self) -> "Routing":
        """Without paths of names that the app does not answer to, or no longer."""
        hosts = {*self.domains, *([OWN_HOST] if self.own_host else [])}
        return replace(self, paths=tuple(path for path in self.paths if path.host in hosts))
