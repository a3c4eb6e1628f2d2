"""OCSP answers: asked for ahead, kept, and given to the proxy, which asks nobody itself."""

from dataclasses import dataclass, replace
from datetime import datetime

from paas.domain.apps import App
from paas.domain.certificates import AppCertificate
from paas.domain.errors import PaasError
from paas.domain.interfaces import Clock, Locks, Logs, Responders, StapleFiles, Store
from paas.domain.ocsp import OcspError, RevokedError, Staple, answered, unanswered, wanted
from paas.services.sites import Sites

# The lock of no app: one round at a time.
OCSP_LOCK = -3
# A responder may keep us waiting, and what else the server does about certificates with it.
ROUND_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StapleWishes:
    """Finds what is to be done. enabled: whether there is HTTPS at all."""

    store: Store
    files: StapleFiles
    enabled: bool

    def any(self, now: datetime) -> bool:
        """Whether there is anything to do."""
        held = self.store.certificates()
        return bool(self.due(held, now) or self.strays(held))

    def due(self, held: list[AppCertificate], now: datetime) -> list[AppCertificate]:
        """Those whose responder is to be asked now."""
        asked = [c for c in held if self.enabled and wanted(c, now)]
        return [c for c in asked if self.files.read(c.id).is_due(now)]

    def strays(self, held: list[AppCertificate]) -> list[str]:
        """What is kept for certificates that are gone."""
        known = {certificate.id for certificate in held}
        return [id for id in self.files.all() if id not in known]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stapling:
    """What is done about them."""

    store: Store
    sites: Sites
    wishes: StapleWishes
    files: StapleFiles
    responders: Responders
    locks: Locks
    logs: Logs
    clock: Clock

    def tend(self) -> None:
        """Ask for what is due, and have the proxy send it along: one reload for each app."""
        if self.locks.app_is_held(OCSP_LOCK):
            return
        with self.locks.app(OCSP_LOCK, "the server asks for OCSP answers"):
            held = self.store.certificates()
            for id in self.wishes.strays(held):
                self.files.remove(id)
            due = self.wishes.due(held, self.clock.now())[:ROUND_MAX]
            for app_id in sorted({certificate.app_id for certificate in due}):
                self._tend_app(app_id, [c for c in due if c.app_id == app_id])

    def _tend_app(self, app_id: int, due: list[AppCertificate]) -> None:
        become = {}
        for certificate in due:
            become[certificate.id] = self._ask(certificate)
            # Should this process be killed before the proxy has it, it is asked for again.
            self.files.write(certificate.id, replace(become[certificate.id], again=None))
        try:
            with self.locks.app(app_id, "the server renews OCSP answers"):
                self._show(self.store.app_by_id(app_id))
        except PaasError as error:
            self.logs.write(app_id, "certs", f"The OCSP answers are not shown: {error.message}")
            now = self.clock.now()
            become = {
                id: unanswered(Staple(failures=staple.failures), error.message, now)
                for id, staple in become.items()
            }
            for id, staple in become.items():
                self.files.write(id, staple)  # the proxy may read the former answer, so it stays
            return
        for id, staple in become.items():
            self.files.write(id, staple)
            self.files.prune(id)

    def _show(self, app: App | None) -> None:
        if app is not None and app.current is not None:
            with self.sites.proxy.held():
                self.sites.proxy.apply(self.sites.present(app))

    def _ask(self, certificate: AppCertificate) -> Staple:
        before = self.files.read(certificate.id)
        paths = self.sites.certificate_files.paths(certificate.id)
        now = self.clock.now()
        try:
            if paths is None:
                raise OcspError("the certificate's files are lost")
            answer = self.responders.ask(paths[0], certificate.facts.ocsp, now)
        except OcspError as error:
            if isinstance(error, RevokedError):
                before = Staple(failures=before.failures)
            failed = unanswered(before, str(error), self.clock.now())
            if failed.failures == 1:
                names = ", ".join(certificate.facts.names[:10])
                self.logs.write(
                    certificate.app_id, "certs", f"No new OCSP answer for {names}: {error}"
                )
            return failed
        return answered(answer, self.files.keep(certificate.id, answer.der), now)
