"""What is due for automatic certificates, according to the store."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from paas.domain.apps.apps import App
from paas.domain.certificates.acme import Renewal, RenewalState
from paas.domain.certificates.certificates import AppCertificate, Origin
from paas.domain.routing.addresses import Addresses
from paas.interfaces import Progress
from paas.store import Store

WARN_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewals:
    """Finds what is due. directory: the issuer's address.

    by_default: whether an app that has made no choice gets its certificates automatically.
    """

    store: Store
    addresses: Addresses
    directory: str
    by_default: bool

    def is_auto(self, app_id: int) -> bool:
        """Whether the app gets its certificates automatically."""
        choice = self.store.certificates.auto_choice(app_id)
        if choice is not None:
            return choice
        own = self.store.certificates.of_app(app_id)
        return self.by_default or any(one.origin is Origin.ACME for one in own)

    def auto_apps(self, ids: Iterable[int], *, by_default: bool | None = None) -> set[int]:
        """Which of these apps get theirs automatically.

        One that has made no choice and has some keeps them. by_default: if it was changed since.
        """
        default = self.by_default if by_default is None else by_default
        choices, having = self.store.certificates.auto_choices(), self.store.certificates.by_acme()
        return {id for id in ids if choices.get(id, default or id in having)}

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
        if any(wants_warning(c, now) for c in self.store.certificates.all()):
            return True
        return any(
            self.superfluous(app) or any(renewal.is_due(now) for renewal in self.of(app))
            for app in self.apps()
        )

    def apps(self) -> list[App]:
        """The apps that get theirs automatically."""
        if not self.addresses.https_port:
            return []
        apps = self.store.apps.all()
        auto = self.auto_apps(app.id for app in apps)
        return [app for app in apps if app.id in auto]

    def announce(self, app_id: int, host: str, progress: Progress) -> None:
        """Say that a certificate comes for the name in the app's URL, or why there is none yet.

        For an app that went live a moment ago, which waits for no issuer.
        """
        app = self.store.apps.by_id(app_id)
        if app is None or not self.addresses.https_port or not self.is_auto(app_id):
            return
        renewal = next((one for one in self.of(app) if one.host == host), None)
        if renewal is None or renewal.unable or renewal.present is not None:
            return
        if renewal.attempt is None or renewal.attempt.has_no_result:
            url = self.addresses.url_of(host, secure=True)
            progress.detail(f"HTTPS: a certificate is being requested; {url} in a moment")
            return
        progress.detail(
            f"HTTPS: no certificate yet. {' '.join(renewal.attempt.reason.split())} "
            f"The next attempt is at {renewal.attempt.again:%Y-%m-%d %H:%M} UTC."
        )

    def _state(self, app: App) -> RenewalState:
        by_dns = self.store.shared_certificates.has_challenge()
        return RenewalState(
            self.store.routing.of_app(app.id).names(self.addresses.host(app.name)),
            tuple(self.store.certificates.of_app(app.id)),
            tuple(self.store.certificates.attempts(app.id)),
            tuple(self.store.shared_certificates.all()) if by_dns else (),
            by_dns=by_dns,
        )


def wants_warning(certificate: AppCertificate, now: datetime) -> bool:
    """Whether it expires soon and no warning was given today."""
    warned = certificate.warned
    return certificate.is_worrying(now) and (warned is None or now - warned >= WARN_EVERY)
