"""What is not as the store says: a dry run of reconcile, and what each app depends on."""

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from paas.domain.apps.apps import App
from paas.domain.releases.releases import Instance, InstanceState, State, Status
from paas.domain.routing.refusals import opening_hint, refusal_words
from paas.domain.server.allocations import Allocation, Kind
from paas.domain.server.findings import Finding, mendable
from paas.domain.values.errors import PaasError
from paas.interfaces import (
    Clock,
    Engines,
    Importer,
    Locks,
    Ports,
    ProxyChoice,
    Repository,
)
from paas.services.certificates.acme import Acme
from paas.services.certificates.web import WebCertificates
from paas.services.certificates.wildcard import Wildcards
from paas.services.datastores.findings import DatastoreFindings
from paas.services.people.logins import Logins
from paas.services.routing.proofs import Proofs
from paas.services.routing.sites import Sites
from paas.services.routing.tcp_ports import TcpPorts
from paas.services.server.app_files import AppFiles
from paas.services.server.strays import Strays
from paas.store import Store

# Another machine's clock may have been a little ahead.
CLOCK_SLACK = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Looks, and changes nothing. An app that is being changed is skipped."""

    store: Store
    repository: Repository
    importer: Importer
    engines: Engines
    ports: Ports
    locks: Locks
    logins: Logins
    clock: Clock
    sites: Sites
    proxies: ProxyChoice
    acme: Acme
    web_certificates: WebCertificates
    wildcards: Wildcards
    proofs: Proofs
    tcp_ports: TcpPorts
    strays: Strays
    app_files: AppFiles
    datastores: DatastoreFindings

    def findings(self) -> list[Finding]:
        """All findings, those of the server first, then app by app.

        Looks twice, and reports what was there both times: a drain or a roll-out that ends during
        a look has already removed what the look compares with.
        """
        found = self._look()
        if not found:
            return []
        again = self._look()
        return [finding for finding in found if finding in again]

    def _look(self) -> list[Finding]:
        found = [*self._server(), *self.strays.findings()]
        known = self.engines.groups()
        moved = self.proofs.moved()
        for app in self.store.apps.all():
            if self.locks.app_is_held(app.id):
                continue
            of_app = [
                *self.app_files.findings(app),
                *self._interrupted(app),
                *self._running(app, known),
                *self._closed(app),
                *_moved(app, moved.get(app.id, {})),
            ]
            if self.store.apps.by_id(app.id) == app and not self.locks.app_is_held(app.id):
                found += of_app
        return found

    def crashed(self) -> list[Finding]:
        """The apps whose instances end again and again."""
        live = {app: self._live(app) for app in self.store.apps.all()}
        states: dict[str, InstanceState] = {}
        for engine in self.engines.all():
            mine = [app for app in live if self.engines.of(app) is engine]
            states |= engine.runtime.states([i for app in mine for i in live[app]])
        found = []
        for app, instances in live.items():
            down = [i.label for i in instances if states[i.id].state is State.CRASHED]
            if down:
                found.append(
                    Finding(
                        check="crashed",
                        message=f"{app.name}: {', '.join(down)} keeps ending.",
                        command=f"paas logs -a {app.name} -n 100",
                        app=app.name,
                        grave=False,
                    )
                )
        return found

    def _server(self) -> Iterator[Finding]:
        if not self.logins.are_published():
            yield mendable(
                "keys", "The keys and users that sshd accepts are not those in the database."
            )
        if self.proxies.is_unsettled():
            yield mendable("proxy", "A change of the proxy was interrupted.")
        yield from self.datastores.findings()
        for app_id in self.store.apps.destroyed():
            if not self.locks.app_is_held(app_id):
                yield mendable("interrupted", f"The removal of app {app_id} was interrupted.")
        yield from map(self._clash, self.store.allocations.clashes())
        newest = max(
            (
                r.created_at
                for app in self.store.apps.all()
                for r in self.store.releases.of_app(app.id)[-1:]
            ),
            default=None,
        )
        if newest is not None and newest - CLOCK_SLACK > self.clock.now():
            now = f"{self.clock.now():%Y-%m-%d %H:%M} UTC"
            yield Finding(
                check="clock",
                message=f"The clock says {now}, and a release was made at "
                f"{newest:%Y-%m-%d %H:%M} UTC: certificates and cron jobs go by it.",
                command="timedatectl set-ntp true",
            )
        for warning in self.web_certificates.warnings():
            yield Finding(
                check="web-certificate", message=warning, command="sudo paas server:status"
            )
        for warning in self.wildcards.warnings():
            yield Finding(check="certificate", message=warning, command="paas certs:dns")
        for warning in self.acme.warnings():
            name = warning.partition(":")[0]
            yield Finding(
                check="certificate", message=warning, command=f"paas certs -a {name}", app=name
            )

    def _clash(self, clash: Allocation) -> Finding:
        """A number of the server itself that an app has, since the ranges were changed."""
        app_id = int(clash.holder.id.partition("-")[0])
        app = self.store.apps.by_id(app_id)
        name = app.name if app is not None else f"app {app_id}"
        needed, command = {
            Kind.UID: (
                "the process that sends to drains has the last one of `uids`: each can end the "
                "other",
                "Change `uids` in server.yml so that no app has the last one, and run install.sh "
                "again.",
            ),
            Kind.PORT: (
                "nginx needs the last one of `ports` behind HAProxy",
                f"paas ps:restart -a {name}",
            ),
        }[clash.kind]
        return Finding(
            check="allocations",
            message=f"{name} has {clash.kind} {clash.number}, and {needed}.",
            command=command,
        )

    def _interrupted(self, app: App) -> Iterator[Finding]:
        for build in self.store.builds.of_app(app.id):
            if build.status is Status.PENDING:
                words = f"{app.name}: the build {build.id} was interrupted."
                yield mendable("interrupted", words, app.name)
        for release in self.store.releases.of_app(app.id):
            if release.status is Status.PENDING:
                words = f"{app.name}: v{release.version} was interrupted."
                yield mendable("interrupted", words, app.name)
        engine = self.engines.of(app)
        builders = dict.fromkeys(one.builder for one in self.engines.all())
        left = any(builder.left(app.id) for builder in builders)
        left |= any(part.left(app.id) for part in (engine.runs, engine.one_off))
        with self.locks.idle_push(app.id) as idle:
            left |= idle and (
                self.importer.left(app.id) or bool(self.repository.partial_files(app.id))
            )
        if left:
            words = f"{app.name}: there are leftovers of a killed push, build or one-off process."
            yield mendable("interrupted", words, app.name)

    def _running(self, app: App, known: Set[str]) -> Iterator[Finding]:
        live = self._live(app)
        former = [i for i in self.store.instances.of_app(app.id) if i not in live]
        if former and not self.locks.is_draining(app.id):
            names = ", ".join(f"{i.label} of v{i.version}" for i in former)
            yield mendable("instances", f"{app.name}: {names} should have ended.", app.name)
        runtime = self.engines.of(app).runtime
        lost = [i.label for i in live if not runtime.is_intact(i, known)]
        if lost:
            words = f"{app.name}: the supervisor does not know {', '.join(lost)}."
            yield mendable("instances", words, app.name)
        states = runtime.states(live)
        deaf = [
            f"{i.label} (port {i.port})"
            for i in live
            if i.endpoint and states[i.id].state is State.UP and self.ports.are_free([i.endpoint])
        ]
        if deaf:
            yield Finding(
                check="deaf",
                message=f"{app.name}: nothing listens on the port of {', '.join(deaf)}.",
                command=f"paas logs -a {app.name} -n 100; paas ps:restart -a {app.name}",
                app=app.name,
                grave=False,
            )
        if refused := runtime.refused_ports(app):
            yield Finding(
                check="refused",
                message=f"{app.name}: {refusal_words(refused)}",
                command=opening_hint(refused),
                app=app.name,
                grave=False,
            )
        if app.current is None:
            return
        try:
            served = self.sites.proxy.serves(self.sites.present(app))
        except PaasError as error:
            words = f"{app.name} is not served: {error.message}"
            yield Finding(
                check="site", message=words, command=f"paas logs -a {app.name}", app=app.name
            )
        else:
            if not served:
                words = f"{app.name}: the proxy's files for it are not as they should be."
                yield mendable("site", words, app.name)

    def _closed(self, app: App) -> Iterator[Finding]:
        warnings: list[str] = []
        with suppress(PaasError):  # an unreadable routing, as `_running` says
            warnings = self.tcp_ports.warnings(app)
        for warning in warnings:
            yield Finding(
                check="tcp",
                message=f"{app.name}: {warning}.",
                command=f"paas ports -a {app.name}",
                app=app.name,
                grave=False,
            )

    def _live(self, app: App) -> list[Instance]:
        return [i for i in self.store.instances.of_app(app.id) if i.is_live(app)]


def _moved(app: App, domains: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Domains that led here when they were added, with their present addresses.

    The app keeps them.
    """
    for host, addresses in domains.items():
        yield Finding(
            check="domain",
            message=f"{app.name}: the DNS of {host} points to {', '.join(addresses)}, which is "
            "not this server.",
            command=f"paas domains -a {app.name}",
            app=app.name,
            grave=False,
        )
