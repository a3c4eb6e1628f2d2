"""Claims to names: those that are proven are routed, the others wait for their proof."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.people.users import Role, User
from paas.domain.routing.hosts import HostName
from paas.domain.routing.proofs import Pending, Proof, Verdict, record_name
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Redirect
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.interfaces import Clock, Locks, Logs, Progress
from paas.services.access import find_app, require_admin
from paas.services.routing.names import Names
from paas.services.routing.ownership import HostTakenError, Ownership
from paas.services.routing.proofs import Answers, Proofs
from paas.services.routing.sites import Sites
from paas.store import Store

SERVER = Actor(None)
# Each time that the monitor process asks; the others are next.
CHECKS_AT_ONCE = 20
LOG = "domains"

# Names, and where they redirect; None for those that answer.
Wanted = Mapping[HostName, Redirect | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """A pending name is not routed and not reserved: the first app to prove it gets it."""

    store: Store
    sites: Sites
    ownership: Ownership
    proofs: Proofs
    names: Names
    locks: Locks
    logs: Logs
    clock: Clock

    def make(
        self, actor: Actor, name: str, wanted: Wanted, progress: Progress, *, trust: bool
    ) -> list[Pending]:
        """Route the names that are proven; returns the others, which wait. All or none.

        trust: an admin vouches for them. Raises PaasError if the app may not have one of them.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        if trust:
            require_admin(actor, "vouch for a domain")
        verdicts = self._verdicts(app, wanted, trust=trust)
        now = self.clock.now()
        pending = [
            Pending(host, actor.name, now, now, redirect).checked(now, verdicts[host].why)
            for host, redirect in wanted.items()
            if verdicts[host].proof is None
        ]
        self._route(actor, app, wanted, verdicts, progress)
        if pending:
            self.proofs.record(app)
            self.store.domain_proofs.set_pending(app.id, pending)
        return pending

    def verify(
        self, actor: Actor, name: str, hosts: Sequence[HostName], progress: Progress
    ) -> tuple[list[Pending], list[Pending]]:
        """Check pending names now (none are named: all); those that are routed, and those left.

        Raises PaasError if a name is none of the app's.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        pending = {one.host: one for one in self.store.domain_proofs.pending(app.id)}
        known = {*pending, *self.sites.names(app)}
        if missing := [host for host in hosts if host not in known]:
            raise no_such_domain(app, missing[0])
        chosen = [one for host, one in pending.items() if not hosts or host in hosts]
        answers = self.proofs.ask([one.host for one in chosen])
        left = self._check(app, chosen, answers, progress, waits=True)
        still = {one.host for one in left}
        return [one for one in chosen if one.host not in still], left

    def check_due(self, progress: Progress) -> None:
        """Check the pending names that are due.

        DNS is asked about all of them at once: slow servers of one name delay no other.
        """
        due = self.store.domain_proofs.due(self.clock.now(), CHECKS_AT_ONCE)
        answers = self.proofs.ask([one.host for _, one in due])
        for app_id, one in due:
            app = self.store.apps.by_id(app_id)
            if app is not None:
                self._check(app, [one], answers, progress, waits=False)

    def _verdicts(
        self, app: App, wanted: Collection[HostName], *, trust: bool
    ) -> dict[str, Verdict]:
        """Whether the app may have each name. One that it has needs no other proof."""
        has = {*self.store.routing.of_app(app.id).claimed, self.sites.addresses.host(app.name)}
        new = [host for host in wanted if host not in has]
        free: dict[str, Verdict] = {h: Verdict(Proof.FREE) for h in wanted if h in has}
        if trust:
            vouched = [host for host in wanted if self.proofs.are_asked_for(host)]
            free |= {host: Verdict(Proof.ADMIN) for host in vouched}
            new = [host for host in new if host not in free]
        return {**free, **self.proofs.judge(app, new, self.proofs.ask(new))}

    def _check(
        self,
        app: App,
        pending: Sequence[Pending],
        answers: Answers,
        progress: Progress,
        *,
        waits: bool,
    ) -> list[Pending]:
        """Route what is proven now; returns what is left. waits: for apps in a change."""
        verdicts = self.proofs.judge(app, [one.host for one in pending], answers)
        left = []
        for one in pending:
            why = self._try(app, one, verdicts[one.host], progress, waits=waits)
            if why is None:
                continue
            checked = one.checked(self.clock.now(), why)
            self.store.domain_proofs.record_check(app.id, checked)
            left.append(checked)
        return left

    def _try(
        self, app: App, one: Pending, verdict: Verdict, progress: Progress, *, waits: bool
    ) -> str | None:
        """Route the name if it is proven; returns why it is not, or None."""
        if verdict.proof is None:
            return verdict.why
        host = HostName(one.host)
        holder = self.ownership.holder(host)
        busy = [a for a in (app, holder) if a is not None and self.locks.app_is_held(a.id)]
        if busy and not waits:
            return "the app, or the one that has the name, is being changed"
        if host not in {pending.host for pending in self.store.domain_proofs.pending(app.id)}:
            return "it was removed meanwhile"
        try:
            self._route(self._adder(one), app, {host: one.redirect}, {host: verdict}, progress)
        except PaasError as error:
            return error.summary
        how = "the TXT record" if verdict.proof is Proof.TXT else "DNS"
        self.logs.write(app.id, LOG, f"{host} is a domain of this app from now on, proven by {how}")
        return None

    def _adder(self, one: Pending) -> Actor:
        """Who added the name, with their present rights; a user who is gone has a member's.

        The operator's name is nobody else's: see RESERVED_USER_NAMES.
        """
        if one.user == SERVER.name:
            return Actor(None)
        name = UserName(one.user)
        return Actor(self.store.users.find(name) or User(name, Role.MEMBER))

    def _route(
        self,
        actor: Actor,
        app: App,
        wanted: Wanted,
        verdicts: Mapping[str, Verdict],
        progress: Progress,
    ) -> None:
        """Give the app the proven ones of these names, also those that another app has to give up.

        Raises PaasError if it may not have one of them, proven or not.
        """
        proofs = {host: verdicts[host].proof for host in wanted}
        proven = {host: proof for host, proof in proofs.items() if proof is not None}
        losers = {host: self._loser(app, host, verdicts[host]) for host in wanted}
        nobody: Mapping[HostName, App | None] = dict.fromkeys(wanted)

        def changed(
            app: App, routing: Routing, losers: Mapping[HostName, App | None] = nobody
        ) -> Routing:
            self._refuse(actor, app, routing, verdicts, losers)
            for host, proof in proven.items():
                redirect = wanted[host]
                routing = (
                    self.names.redirected(app, routing, redirect)
                    if redirect is not None
                    else self.names.added(app, routing, host)
                )
                routing = self.names.proven(routing, host, proof)
            return self.names.bounded(app, routing, wanted.keys() - proven.keys())

        changed(app, self.store.routing.of_app(app.id), losers)  # before anybody loses a name
        for host, loser in losers.items():
            if loser is not None:
                self._displace(app, loser, host, progress)
        self.sites.change(actor, app.name, "adds a domain", changed, progress)
        self.store.domain_proofs.drop_pending(app.id, proven)

    def _refuse(
        self,
        actor: Actor,
        app: App,
        routing: Routing,
        verdicts: Mapping[str, Verdict],
        losers: Mapping[HostName, App | None],
    ) -> None:
        """Raises PaasError if the app may not have one of the names."""
        for host, loser in losers.items():
            proof = verdicts[host].proof
            proven, displaces = proof is Proof.TXT, loser is not None
            try:
                self.ownership.refuse_taken(
                    *(actor, app, routing, host), proven=proven, displaces=displaces
                )
            except HostTakenError as error:
                if proven or actor.is_admin or not self.proofs.are_asked_for(host):
                    raise
                raise HostTakenError(error.message, self._way(app, host)) from error

    def _way(self, app: App, host: str) -> str:
        """How the owner of a name that another app has gets it."""
        return (
            "If the name is yours, set this DNS record and add the name again: "
            f'{record_name(host)} TXT "{self.proofs.record(app)}"'
        )

    def _loser(self, app: App, host: str, verdict: Verdict) -> App | None:
        """The other app that loses the name by this proof."""
        holder = self.ownership.holder(host)
        if holder is None or holder.id == app.id:
            return None
        return holder if self.proofs.may_displace(verdict, holder, host) else None

    def _displace(self, app: App, loser: App, host: str, progress: Progress) -> None:
        self.sites.change(
            *(SERVER, loser.name, "takes a domain away"),
            lambda _, routing: self.names.lost(routing, host),
            progress,
        )
        record = record_name(host)
        self.logs.write(
            loser.id,
            LOG,
            f"{host} is no longer a domain of this app: {record} in DNS names another app",
        )
        self.logs.write(
            app.id, LOG, f"{host} was a domain of another app; {record} in DNS names this one"
        )


def no_such_domain(app: App, host: str) -> PaasError:
    """The app has no name like that."""
    return PaasError(
        "no-such-domain",
        f"{app.name} has no domain {host}.",
        f"List them with: paas domains -a {app.name}",
    )
