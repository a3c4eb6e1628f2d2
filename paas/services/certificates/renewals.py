"""What is due for automatic certificates, according to the store."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from paas.domain.apps.apps import App
from paas.domain.certificates.acme import Renewal, RenewalState
from paas.domain.certificates.certificates import AppCertificate
from paas.domain.routing.addresses import Addresses
from paas.store import Store

WARN_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewals:
    """Finds what is due. directory: the issuer's address."""

    store: Store
    addresses: Addresses
    directory: str

    def of(self, app: App, *, without: Sequence[AppCertificate] = ()) -> list[Renewal]:
        """The state of each name of the app, or what it would be without these certificates."""
        state = self._state(app)
        left = tuple(c for c in state.certificates if c not in without)
        renewals = replace(state, certificates=left).renewals(self.directory)
        if app.current is not None:
            return renewals
        why = "the app was never deployed, so it answers to no name yet"
        return [replace(renewal, unable=renewal.unable or why) for renewal in renewals]

    def again(
        self, app: App, renewal: Renewal, *, without: Sequence[AppCertificate] = ()
    ) -> Renewal | None:
        """The current state, after others had their turn; None: the name is not the app's now."""
        return next((w for w in self.of(app, without=without) if w.host == renewal.host), None)

    def superfluous(self, app: App) -> list[AppCertificate]:
        """Automatic certificates that the app no longer needs."""
        return self._state(app).superfluous()

    def any(self, now: datetime) -> bool:
        """Whether there is anything to do for any app."""
        auto = self.store.certificates.auto_apps()
        if any(wants_warning(c, now) for c in self.store.certificates.all()):
            return True
        return any(
            self.superfluous(app) or any(renewal.is_due(now) for renewal in self.of(app))
            for app in self.apps(auto)
        )

    def apps(self, ids: Iterable[int]) -> list[App]:
        """The apps with these ids that exist."""
        if not self.addresses.https_port:
            return []
        found = [self.store.apps.by_id(id) for id in sorted(ids)]
        return [app for app in found if app is not None]

    def _state(self, app: App) -> RenewalState:
        return RenewalState(
            self.store.routing.of_app(app.id).names(self.addresses.host(app.name)),
            tuple(self.store.certificates.of_app(app.id)),
            tuple(self.store.certificates.attempts(app.id)),
        )


def wants_warning(certificate: AppCertificate, now: datetime) -> bool:
    """Whether it expires soon and no warning was given today."""
    warned = certificate.warned
    return certificate.is_worrying(now) and (warned is None or now - warned >= WARN_EVERY)
